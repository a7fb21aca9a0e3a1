"""The headers of a mail: names, subjects and addresses come back, and none can add another."""

import re
from dataclasses import replace
from email.header import decode_header, make_header

import pytest

from tests.shared.mail.messages import DELIVERY, PDF, message_of, raw_header, read, subject_of


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
    mail = message_of(sender_name=name).envelope("a@example.org", DELIVERY)
    message = read(mail)
    for header in ("From", "Reply-To"):
        assert len(message[header].addresses) == 1
        # The address parser of the standard library puts spaces between encoded words.
        raw = raw_header(mail, header).rpartition("<")[0].strip()
        shown = str(make_header(decode_header(raw)))
        assert re.sub(r'^"|"$|\\(?=["\\])', "", shown) == re.sub(" +", " ", name).strip()
    assert message["From"].addresses[0].addr_spec == "post@mail.example"


def test_without_a_sender_name_the_configured_one_shows() -> None:
    message = read(message_of(sender_name="").envelope("a@example.org", DELIVERY))
    assert message["From"].addresses[0].display_name == "Ledgerpost"


@pytest.mark.parametrize("field", ["sender_name", "subject", "pdf_name"])
@pytest.mark.parametrize("end", ["\r\n", "\n", "\r", "\0", "\u2028", "\x85", "\x0b", "\ud800"])
def test_controls_in_header_text_become_spaces(field: str, end: str) -> None:
    evil = f"a{end}Bcc: evil@example.org{end}{end}<b>{end}"
    message = read(message_of(**{field: evil}).envelope("a@example.org", DELIVERY))
    assert message["Bcc"] is None
    plain = read(message_of().envelope("a@example.org", DELIVERY))
    assert message.keys() == plain.keys()
    (attachment,) = message.iter_attachments()
    assert attachment.get_content() == PDF


@pytest.mark.parametrize("stored", ["jörg@b.org; a@b.org, c@d.org", "a@b.org\u00a0"])
def test_replies_go_to_the_first_stored_address_that_can_be_written(stored: str) -> None:
    mail = read(message_of(reply_to=stored).envelope("a@example.org", DELIVERY))
    assert mail["Reply-To"].addresses[0].addr_spec == "a@b.org"
    assert len(mail["Reply-To"].addresses) == 1


@pytest.mark.parametrize(
    "reply_to", [None, "", "no address", "a@b.org c@d.org", "a@b\r\nX: y", "jörg@b.org"]
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
    ("recipient", "subject"),
    [
        ("office@x.example", "Copy: Statement"),
        ("Office@X.example", "Copy: Statement"),
        ("customer@y.example", "Statement"),
        ("office@x.example.org", "Statement"),
    ],
)
def test_the_business_gets_a_subject_that_says_copy(recipient: str, subject: str) -> None:
    made = message_of("Statement").envelope(recipient, DELIVERY)
    assert read(made)["Subject"] == subject
    redirected = message_of("Statement").envelope("all@z.example", DELIVERY, meant_for=recipient)
    assert read(redirected)["Subject"] == subject


@pytest.mark.parametrize("business", ["same@x.example", "Same@X.example", None, "", "no address"])
def test_a_customer_with_the_address_of_the_business_gets_no_copy(business: str | None) -> None:
    subject = subject_of("Statement", business=business, customer="same@x.example")
    made = replace(message_of(), subject=subject)
    assert b"\r\nSubject: Statement\r\n" in made.envelope("same@x.example", DELIVERY).data
