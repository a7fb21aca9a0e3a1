"""Mails to one recipient, for the tests of their bytes."""

from datetime import datetime, timedelta, timezone
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any
from uuid import UUID

from shared.mail.envelope import Envelope
from shared.mail.mailbox import Mailbox
from shared.mail.message import Message, Subject, build
from shared.mail.parts import File

SEND = UUID("018f0000-0000-7000-8000-00000000000a")
DELIVERY = UUID("018f0000-0000-7000-8000-00000000000b")
TEXT = "Dear Ann,\n.\n.hidden\nFrom here on: 12 € = 12.00\ttrailing \n" + "long " * 60
PDF = b"%PDF-1.7\r\n" + bytes(range(256)) * 50


def subject_of(
    text: str, *, business: str | None = "office@x.example", customer: str | None = None
) -> Subject:
    return Subject.of(text, f"Copy: {text}", business=business, customer=customer)


def message_of(
    subject: str = "Your statement, January 2024",
    pdf: bytes | None = PDF,
    pdf_name: str = "statement.pdf",
    **fields: Any,
) -> Message:
    given_fields: dict[str, Any] = {
        "send_id": SEND,
        "sender": Mailbox.parse("Ledgerpost <post@mail.example>"),
        "sender_name": "Müller & Co",
        "reply_to": "office@müller.example",
        "subject": subject_of(subject),
        "text": TEXT,
        "html": "<p>Dear Ann, 12 €</p>" + "<br>" * 300,
        "files": [] if pdf is None else [File("application/pdf", pdf_name, pdf)],
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


def raw_header(mail: Envelope, name: str) -> str:
    unfolded = mail.data.decode().replace("\r\n ", " ")
    return next(x for x in unfolded.split("\r\n") if x.startswith(f"{name}:")).partition(":")[2]
