"""The MIME message of a send: encoded once for all recipients, and completed for each."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import cached_property
from typing import NamedTuple
from uuid import UUID

from shared.mail.address import Address, Unsendable, wire_form
from shared.mail.dkim import Signer, body_hash
from shared.mail.envelope import Envelope
from shared.mail.headers import address_header, plain_header, text_header
from shared.mail.mailbox import Mailbox
from shared.mail.parts import File, Part, file_part, logo_part, text_part, together
from shared.mail.stored import stored_addresses
from shared.mail.unsubscribe import Links
from shared.statements.flaws import Flaw


class Subject(NamedTuple):
    """The header of the subject, and that of the mail that the business gets for itself.

    `business` has the keys (Address.key) of those addresses of the business that are not its
    customer's, too.
    """

    header: bytes
    copy_header: bytes
    business: frozenset[str]

    @classmethod
    def of(cls, text: str, copy: str, *, business: str | None, customer: str | None) -> "Subject":
        """Return the subject of a mail from a business to a customer, by their stored addresses."""
        header, copy_header = (text_header("Subject", each).encode() for each in (text, copy))
        return cls(header, copy_header, frozenset(_keys(business)).difference(_keys(customer)))

    def for_recipient(self, email: str) -> bytes:
        """Return the header of the mail for one recipient."""
        is_copy = bool(self.business) and not self.business.isdisjoint(_keys(email))
        return self.copy_header if is_copy else self.header


@dataclass(frozen=True)
class Message:
    """The part of a mail that all recipients of a send share; `flaws` are those of its PDF."""

    sender: Mailbox
    subject: Subject
    headers: bytes
    body: bytes
    flaws: tuple[Flaw, ...] = ()

    def envelope(
        self,
        recipient: str,
        delivery_id: UUID,
        links: Links | None = None,
        signer: Signer | None = None,
        *,
        meant_for: str | None = None,
    ) -> Envelope:
        """Return the mail for one recipient: same input, same bytes.

        With `links` it has the headers for one-click unsubscribing (RFC 8058), and with `signer`
        its DKIM signatures. If it goes to another address than it is meant for, `meant_for` decides
        on the subject. Raises Unsendable if the address is malformed.
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
        subject = self.subject.for_recipient(meant_for or recipient)
        head = b"".join((own.encode(), subject, self.headers))
        if signer is not None:
            head = signer.headers(head, self._body_hash) + head
        return Envelope(
            sender=self.sender.return_path(delivery_id),
            recipient=to,
            data=b"".join((head, b"\r\n", self.body)),
            smtputf8=not local.isascii(),
            flaws=self.flaws,
        )

    @cached_property
    def _body_hash(self) -> str:
        """The hash for signatures: once for all recipients, and never if mails are not signed."""
        return body_hash(self.body)


def build(
    *,
    send_id: UUID,
    sender: Mailbox,
    sender_name: str,
    reply_to: str | None,
    subject: Subject,
    text: str,
    html: str,
    date: datetime,
    logo: bytes | None = None,
    files: Sequence[File] = (),
    flaws: tuple[Flaw, ...] = (),
) -> Message:
    """Return the message of a send: same input, same bytes, 7-bit, lines of at most 78 characters.

    `date` has a time zone. A `reply_to` that no Reply-To can name is left out.
    """
    if date.tzinfo is None:
        raise ValueError("date has no timezone")
    whole = _alternative(send_id, text, html, logo)
    if files:
        whole = together("mixed", send_id, whole, *map(file_part, files))
    headers = (
        address_header("From", sender_name or sender.name, str(sender)),
        _reply_to(sender_name, reply_to),
        plain_header("Date", format_datetime(date.astimezone(UTC))),
        plain_header("Auto-Submitted", "auto-generated"),
        plain_header("X-Ledgerpost-Send", str(send_id)),
        plain_header("MIME-Version", "1.0"),
    )
    shared = "".join(headers).encode("ascii") + whole.headers
    return Message(sender, subject, shared, whole.content, flaws)


def reply_to_address(stored: str | None) -> str | None:
    """Return the first stored address that a Reply-To can name; None if there is none.

    An address is left out if it is malformed or has no ASCII form: no smarthost or reader without
    SMTPUTF8 would take the mail.
    """
    for text in stored_addresses(stored):
        with suppress(Unsendable):
            local, domain = wire_form(text)
            if local.isascii():
                return f"{local}@{domain}"
    return None


def _reply_to(name: str, address: str | None) -> str:
    found = reply_to_address(address)
    return address_header("Reply-To", name, found) if found else ""


def _alternative(send_id: UUID, text: str, html: str, logo: bytes | None) -> Part:
    """Return the mail as text and as HTML, which may have a logo.

    The logo lies with the HTML inside of the alternative, as Apple Mail and Thunderbird write it:
    whoever reads the text gets no picture beside it, and Outlook, Gmail and iOS show it in its
    place. The files lie outside of both, because iOS hides those beside an inline image.
    """
    page = text_part("html", html)
    if logo is not None:
        page = together("related", send_id, page, logo_part(logo))
    return together("alternative", send_id, text_part("plain", text), page)


def _keys(stored: str | None) -> Iterator[str]:
    for text in stored_addresses(stored):
        with suppress(ValueError):
            yield Address.parse(text).key
