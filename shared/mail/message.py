"""The MIME message of a send: encoded once for all recipients, and completed for each."""

import binascii
from base64 import encodebytes
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from urllib.parse import quote
from uuid import UUID

from shared.mail.address import Unsendable, wire_form
from shared.mail.envelope import Envelope
from shared.mail.headers import address_header, plain_header, text_header
from shared.mail.mailbox import Mailbox
from shared.mail.unsubscribe import Links
from shared.statements.attachment import Flaw
from shared.text import one_line

_LONGEST_FILE_NAME = 60
_LONG_LINE = 2000  # octets; the cache of encoded lines holds no longer ones


@dataclass(frozen=True, slots=True)
class Message:
    """The part of a mail that all recipients of a send share; `flaws` are those of its PDF."""

    sender: Mailbox
    headers: bytes
    body: bytes
    flaws: tuple[Flaw, ...] = ()

    def envelope(self, recipient: str, delivery_id: UUID, links: Links | None = None) -> Envelope:
        """Return the mail for one recipient: same input, same bytes.

        With `links` it has the headers for one-click unsubscribing (RFC 8058). Raises Unsendable if
        the address is malformed.
        """
        local, domain = wire_form(recipient)
        to = f"{local}@{domain}"
        own = (
            plain_header("To", to)
            + plain_header("Message-ID", f"<{delivery_id}@{self.sender.domain}>")
            + plain_header("X-Ledgerpost-Delivery", str(delivery_id))
        )
        if links is not None:
            own += (
                f"List-Unsubscribe: <{links.url(delivery_id)}>\r\n"
                "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
            )
        return Envelope(
            sender=self.sender.return_path(delivery_id),
            recipient=to,
            data=b"".join((own.encode(), self.headers, b"\r\n", self.body)),
            smtputf8=not local.isascii(),
            flaws=self.flaws,
        )


def build(
    *,
    send_id: UUID,
    sender: Mailbox,
    business_name: str,
    reply_to: str | None,
    subject: str,
    text: str,
    html: str,
    pdf: bytes | None,
    pdf_name: str,
    date: datetime,
    flaws: tuple[Flaw, ...] = (),
) -> Message:
    """Return the message of a send: same input, same bytes, 7-bit, lines of at most 78 characters.

    Without a `pdf` it has no attachment. `date` has a time zone. A `reply_to` that no Reply-To can
    name is left out.
    """
    if date.tzinfo is None:
        raise ValueError("date has no timezone")
    kind, body = _alternative(send_id, text, html)
    if pdf is not None:
        kind, body = _mixed(send_id, kind, body, _pdf_part(pdf, pdf_name))
    headers = (
        address_header("From", business_name or sender.name, str(sender)),
        _reply_to(business_name, reply_to),
        text_header("Subject", subject),
        plain_header("Date", format_datetime(date.astimezone(UTC))),
        plain_header("Auto-Submitted", "auto-generated"),
        plain_header("X-Ledgerpost-Send", str(send_id)),
        plain_header("MIME-Version", "1.0"),
        kind,
    )
    return Message(sender, "".join(headers).encode("ascii"), body, flaws)


def reply_to_address(address: str | None) -> str | None:
    """Return the address as a Reply-To can name it; None if it is malformed or has no ASCII form.

    With another address, no smarthost or reader without SMTPUTF8 would take the mail.
    """
    try:
        local, domain = wire_form((address or "").strip())
    except Unsendable:
        return None
    return f"{local}@{domain}" if local.isascii() else None


def _reply_to(name: str, address: str | None) -> str:
    found = reply_to_address(address)
    return address_header("Reply-To", name, found) if found else ""


def _alternative(send_id: UUID, text: str, html: str) -> tuple[str, bytes]:
    return _multipart("alternative", send_id, _text_part("plain", text), _text_part("html", html))


def _mixed(send_id: UUID, kind: str, body: bytes, attachment: bytes) -> tuple[str, bytes]:
    return _multipart("mixed", send_id, f"{kind}\r\n".encode() + body, attachment)


def _multipart(kind: str, send_id: UUID, *parts: bytes) -> tuple[str, bytes]:
    """Return the Content-Type of the parts together, and the parts."""
    # "=_" occurs neither in quoted-printable nor in base64, so no part can hold a boundary.
    boundary = f"=_{kind}_{send_id.hex}"
    begin = f"--{boundary}\r\n".encode()
    return (
        f'Content-Type: multipart/{kind};\r\n boundary="{boundary}"\r\n',
        begin + (b"\r\n" + begin).join(parts) + f"\r\n--{boundary}--\r\n".encode(),
    )


def _text_part(kind: str, text: str) -> bytes:
    data = text.encode("utf-8", "replace")
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return (
        f"Content-Type: text/{kind}; charset=utf-8\r\n"
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    ).encode() + b"\r\n".join(
        [_line(line) if len(line) < _LONG_LINE else _quoted(line) for line in data.split(b"\n")]
    )


def _quoted(line: bytes) -> bytes:
    return binascii.b2a_qp(line, istext=True).replace(b"\n", b"\r\n")


# Most lines of a mail come from its template, alone in their lines (shared/statements/mail.py), so
# that this cache saves most of the work.
_line = lru_cache(maxsize=2048)(_quoted)


def _pdf_part(pdf: bytes, name: str) -> bytes:
    name = one_line(name).replace("/", "-").replace("\\", "-")
    stem = name.removesuffix(".pdf")[:_LONGEST_FILE_NAME].replace('"', "'")
    # Given both forms, readers differ in which one they believe.
    shown = f'="{stem}.pdf"' if stem.isascii() else f"*=utf-8''{quote(stem, safe='')}.pdf"
    return (
        "Content-Type: application/pdf\r\n"
        "Content-Transfer-Encoding: base64\r\n"
        f"Content-Disposition: attachment;\r\n filename{shown}\r\n\r\n"
    ).encode() + encodebytes(pdf).replace(b"\n", b"\r\n")
