"""The message: what readers see, and that its bytes are fixed."""

import io
import re
from datetime import UTC, datetime

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from shared.mail.mailbox import Mailbox
from shared.mail.return_path import ReturnPaths
from shared.mail.unsubscribe import Links
from tests.shared.mail.messages import DELIVERY, PDF, SEND, TEXT, message_of, read


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
    paths = ReturnPaths("a secret of more than thirty-two characters", "mail.example")
    sender = Mailbox.parse("Ledgerpost <post@mail.example>", paths=paths)
    message = message_of(sender=sender)
    envelope = message.envelope("ann@example.org", DELIVERY)
    assert paths.delivery(envelope.sender) == DELIVERY
    assert message.envelope("ann@example.org", DELIVERY).sender == envelope.sender
    assert envelope.sender.encode() not in envelope.data


def test_the_same_input_makes_the_same_bytes() -> None:
    first = message_of(subject="é" * 200).envelope("ann@example.org", DELIVERY)
    assert message_of(subject="é" * 200).envelope("ann@example.org", DELIVERY) == first


def test_lines_are_short_ascii_and_end_in_crlf() -> None:
    many = {"subject": "Überschrift " * 30, "sender_name": "Ж" * 150, "pdf_name": "é" * 99}
    data = message_of(**many).envelope("ann@example.org", DELIVERY).data
    assert data.isascii()
    assert max(len(line) for line in data.split(b"\r\n")) <= 998
    long = [line for line in data.split(b"\r\n") if len(line) > 78]
    assert all(line.startswith((b" filename*=", b" name=")) for line in long)
    assert not re.search(rb"[^\r]\n|\r[^\n]", data)


def test_a_date_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="timezone"):
        message_of(date=datetime(2024, 1, 1))  # noqa: DTZ001 - the very thing that is refused


@seed(7)
@settings(max_examples=300, deadline=None)
@given(name=st.text(max_size=120), subject=st.text(max_size=300), text=st.text(), html=st.text())
def test_any_text_makes_a_mail_that_reads_back(
    name: str, subject: str, text: str, html: str
) -> None:
    mail = message_of(sender_name=name, subject=subject, text=text, html=html)
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
    assert first.data.endswith(one.subject.header + one.headers + b"\r\n" + one.body)
    assert second.data.endswith(one.subject.header + one.headers + b"\r\n" + one.body)
    assert io.BytesIO(first.data).readline() == b"To: a@example.org\r\n"
