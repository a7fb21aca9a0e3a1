"""The message: what readers see, that its bytes are fixed, and that nothing in it can break out."""

import io
import re
from datetime import UTC, datetime, timedelta, timezone
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from shared.mail.envelope import Envelope
from shared.mail.mailbox import Mailbox
from shared.mail.message import Message, build
from shared.mail.unsubscribe import Links

SEND = UUID("018f0000-0000-7000-8000-00000000000a")
DELIVERY = UUID("018f0000-0000-7000-8000-00000000000b")
TEXT = "Dear Ann,\n.\n.hidden\nFrom here on: 12 € = 12.00\ttrailing \n" + "long " * 60
PDF = b"%PDF-1.7\r\n" + bytes(range(256)) * 50


def message_of(**fields: Any) -> Message:
    given_fields: dict[str, Any] = {
        "send_id": SEND,
        "sender": Mailbox.parse("Ledgerpost <post@mail.example>"),
        "business_name": "Müller & Co",
        "reply_to": "office@müller.example",
        "subject": "Your statement, January 2024",
        "text": TEXT,
        "html": "<p>Dear Ann, 12 €</p>" + "<br>" * 300,
        "pdf": PDF,
        "pdf_name": "statement.pdf",
        "date": datetime(2024, 2, 1, 9, 30, tzinfo=timezone(timedelta(hours=2))),
    }
    return build(**given_fields | fields)


def read(envelope: Envelope) -> EmailMessage:
    assert envelope.problem() is None
    message = message_from_bytes(envelope.data, policy=policy.default)
    assert isinstance(message, EmailMessage)
    for part in message.walk():
        assert part.defects == []
        if not envelope.smtputf8:  # the standard library's parser takes UTF-8 itself for a defect
            assert [header.defects for header in part.values() if header.defects] == []
    return message


def test_readers_see_what_was_meant() -> None:
    message = read(message_of().envelope("Ann.Ny@example.org", DELIVERY))
    sender = message["From"].addresses[0]
    assert (sender.display_name, sender.addr_spec) == ("Müller & Co", "post@mail.example")
    assert message["Reply-To"].addresses[0].addr_spec == "office@xn--mller-kva.example"
    assert [to.addr_spec for to in message["To"].addresses] == ["Ann.Ny@example.org"]
    assert message["Subject"] == "Your statement, January 2024"
    assert message["Date"].datetime == datetime(2024, 2, 1, 7, 30, tzinfo=UTC)
    assert message["Message-ID"] == f"<{DELIVERY}@mail.example>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["X-Ledgerpost-Send"] == str(SEND)
    assert message["X-Ledgerpost-Delivery"] == str(DELIVERY)
    assert message.get_content_type() == "multipart/mixed"
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    assert text is not None
    assert html is not None
    assert text.get_content() == TEXT.replace("\n", "\r\n")
    assert html.get_content() == "<p>Dear Ann, 12 €</p>" + "<br>" * 300
    (attachment,) = message.iter_attachments()
    assert attachment.get_content_type() == "application/pdf"
    assert attachment.get_filename() == "statement.pdf"
    assert attachment.get_content() == PDF


def test_one_click_unsubscribing_is_offered_to_each_recipient_alone() -> None:
    links = Links("a secret of more than thirty-two characters", "https://lp.example")
    both = [
        read(message_of().envelope("ann@example.org", each, links)) for each in (DELIVERY, SEND)
    ]
    for message, delivery in zip(both, (DELIVERY, SEND), strict=True):
        assert message["List-Unsubscribe"] == f"<{links.url(delivery)}>"
        assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert both[0]["List-Unsubscribe"] != both[1]["List-Unsubscribe"]
    plain = read(message_of().envelope("ann@example.org", DELIVERY))
    assert plain["List-Unsubscribe"] is plain["List-Unsubscribe-Post"] is None


def test_the_return_path_names_the_delivery() -> None:
    envelope = message_of().envelope("ann@example.org", DELIVERY)
    assert envelope.sender == f"post+bounce-{DELIVERY.hex}@mail.example"
    assert UUID(envelope.sender.partition("+bounce-")[2].partition("@")[0]) == DELIVERY


def test_the_same_input_makes_the_same_bytes() -> None:
    first = message_of(subject="é" * 200).envelope("ann@example.org", DELIVERY)
    assert message_of(subject="é" * 200).envelope("ann@example.org", DELIVERY) == first


def test_lines_are_short_ascii_and_end_in_crlf() -> None:
    many = {"subject": "Überschrift " * 30, "business_name": "Ж" * 150, "pdf_name": "é" * 99}
    data = message_of(**many).envelope("ann@example.org", DELIVERY).data
    assert data.isascii()
    assert max(len(line) for line in data.split(b"\r\n")) <= 998
    long = [line for line in data.split(b"\r\n") if len(line) > 78]
    assert all(line.startswith(b" filename*=") for line in long)
    assert not re.search(rb"[^\r]\n|\r[^\n]", data)


@pytest.mark.parametrize(
    "subject",
    [
        "plain",
        "two words " * 20,
        "x" * 300,
        "word " * 10 + "x" * 200,
        "Grüße, 你好 🎉 " * 20,
        "=?utf-8?q?no?=",
        "trailing, and  inner   spaces",
        "👩‍👩‍👧 family",
    ],
)
def test_subjects_come_back(subject: str) -> None:
    message = read(message_of(subject=subject).envelope("a@example.org", DELIVERY))
    assert message["Subject"] == re.sub(" +", " ", subject).strip()


def raw_header(mail: Envelope, name: str) -> str:
    unfolded = mail.data.decode().replace("\r\n ", " ")
    return next(x for x in unfolded.split("\r\n") if x.startswith(f"{name}:")).partition(":")[2]


@pytest.mark.parametrize(
    "name",
    [
        'Ann "The Bank" O\\Neil, Inc. <x@y.org>; (z)',
        "Ж" * 120,
        "=?utf-8?q?no?=",
        "a, b@c.org",
        "Very Long Company Name " * 10,
        "ACME",
    ],
)
def test_display_names_come_back_and_add_no_address(name: str) -> None:
    mail = message_of(business_name=name).envelope("a@example.org", DELIVERY)
    message = read(mail)
    for header in ("From", "Reply-To"):
        assert len(message[header].addresses) == 1
        # The address parser of the standard library puts spaces between encoded words.
        raw = raw_header(mail, header).rpartition("<")[0].strip()
        shown = str(make_header(decode_header(raw)))
        assert re.sub(r'^"|"$|\\(?=["\\])', "", shown) == re.sub(" +", " ", name).strip()
    assert message["From"].addresses[0].addr_spec == "post@mail.example"


def test_without_a_business_name_the_configured_one_shows() -> None:
    message = read(message_of(business_name="").envelope("a@example.org", DELIVERY))
    assert message["From"].addresses[0].display_name == "Ledgerpost"


def test_without_a_pdf_there_is_text_and_html_alone() -> None:
    message = read(message_of(pdf=None).envelope("a@b.org", DELIVERY))
    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert list(message.iter_attachments()) == []


@pytest.mark.parametrize("field", ["business_name", "subject", "pdf_name"])
@pytest.mark.parametrize("end", ["\r\n", "\n", "\r", "\0", "\u2028", "\x85", "\x0b", "\ud800"])
def test_controls_in_header_text_become_spaces(field: str, end: str) -> None:
    evil = f"a{end}Bcc: evil@example.org{end}{end}<b>{end}"
    message = read(message_of(**{field: evil}).envelope("a@example.org", DELIVERY))
    assert message["Bcc"] is None
    plain = read(message_of().envelope("a@example.org", DELIVERY))
    assert message.keys() == plain.keys()
    (attachment,) = message.iter_attachments()
    assert attachment.get_content() == PDF


@pytest.mark.parametrize(
    "reply_to", [None, "", "no address", "a@b.org, c@d.org", "a@b\r\nX: y", "jörg@b.org"]
)
def test_a_reply_to_that_cannot_be_written_is_left_out(reply_to: str | None) -> None:
    assert (
        read(message_of(reply_to=reply_to).envelope("a@example.org", DELIVERY))["Reply-To"] is None
    )


@pytest.mark.parametrize(
    ("recipient", "written", "smtputf8"),
    [
        ("o'neil+tag=x@Example.ORG", "o'neil+tag=x@Example.ORG", False),
        ("ann@bücher.example", "ann@xn--bcher-kva.example", False),
        ("ann@BÜCHER.example", "ann@xn--bcher-kva.example", False),
        ("ann@例え.テスト", "ann@xn--r8jz45g.xn--zckzah", False),
        ("jörg@bücher.example", "jörg@xn--bcher-kva.example", True),
        ("用户@example.org", "用户@example.org", True),
        (
            "x" * 64 + "@" + "b" * 60 + ".example.org",
            "x" * 64 + "@" + "b" * 60 + ".example.org",
            False,
        ),
    ],
)
def test_international_addresses(*, recipient: str, written: str, smtputf8: bool) -> None:
    envelope = message_of().envelope(recipient, DELIVERY)
    assert (envelope.recipient, envelope.smtputf8) == (written, smtputf8)
    assert len(read(envelope)["To"].addresses) == 1
    assert raw_header(envelope, "To").strip() == written


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("statement.pdf", "statement.pdf"),
        ("Auszug Müller.pdf", "Auszug Müller.pdf"),
        ("../../etc/passwd", "..-..-etc-passwd.pdf"),
        ('a"b;c.pdf', "a'b;c.pdf"),
        ("x" * 200, "x" * 60 + ".pdf"),
    ],
)
def test_file_names_come_back_and_name_no_folder(name: str, shown: str) -> None:
    (attachment,) = read(message_of(pdf_name=name).envelope("a@b.org", DELIVERY)).iter_attachments()
    assert attachment.get_filename() == shown


def test_a_date_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="timezone"):
        message_of(date=datetime(2024, 1, 1))  # noqa: DTZ001 - the very thing that is refused


@seed(7)
@settings(max_examples=300, deadline=None)
@given(name=st.text(max_size=120), subject=st.text(max_size=300), text=st.text(), html=st.text())
def test_any_text_makes_a_mail_that_reads_back(
    name: str, subject: str, text: str, html: str
) -> None:
    mail = message_of(business_name=name, subject=subject, text=text, html=html)
    message = read(mail.envelope("a@example.org", DELIVERY))
    assert [a.addr_spec for a in message["From"].addresses] == ["post@mail.example"]
    assert message["Bcc"] is None
    body = message.get_body(("plain",))
    assert body is not None
    raw = body.get_content()
    lines = text.encode("utf-8", "replace").decode()
    assert raw == lines.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n")
    assert len(list(message.iter_attachments())) == 1


def test_addressing_one_more_recipient_copies_the_letter_and_no_more() -> None:
    one = message_of()
    first, second = one.envelope("a@example.org", DELIVERY), one.envelope("b@example.org", SEND)
    assert first.data.endswith(one.headers + b"\r\n" + one.body)
    assert second.data.endswith(one.headers + b"\r\n" + one.body)
    assert io.BytesIO(first.data).readline() == b"To: a@example.org\r\n"
