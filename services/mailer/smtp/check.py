"""The check of the smarthost: a session that reports each step, with or without a test mail."""

from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime
from uuid import UUID, uuid4

from services.mailer.smtp import transaction
from services.mailer.smtp.connector import connector
from services.mailer.smtp.outcomes import Outcome, Sent, SmarthostAtFault
from services.mailer.smtp.session import Session, SessionLost
from services.mailer.smtp.smarthost import Smarthost, Timeouts
from services.mailer.smtp.transaction import TimeBudget
from shared.mail.address import wire_form
from shared.mail.dkim import Signer, body_hash
from shared.mail.envelope import Envelope
from shared.mail.headers import address_header, plain_header, text_header
from shared.mail.mailbox import Mailbox

# Shorter than RFC 5321 demands of a program, because a person waits.
_TIMEOUTS = Timeouts(ready=30, mail=60, rcpt=60, data=60, block=60, to_gate=240, final=300)
_TEXT = "This is a test mail of Ledgerpost. Its mailer can hand over mail to your smarthost.\r\n"


class CheckFailed(Exception):
    """The smarthost is away or refuses; the text has its reply."""


async def check(
    smarthost: Smarthost,
    name: str | None,
    sender: Mailbox,
    signer: Signer | None,
    to: str | None,
    report: Callable[[str], None],
    opened: Callable[[Session], None] = lambda _: None,
) -> None:
    """Report each step up to a ready session and MAIL; with `to`, up to the reply to a test mail.

    `opened` gets the session when it is ready. Raises CheckFailed, and Unsendable if no mail can be
    made for `to`.
    """
    mail = _mail(sender, signer, to or str(sender))
    budget = TimeBudget(_TIMEOUTS)
    try:
        session = await connector(smarthost, name, report).session(_TIMEOUTS.ready, budget.left)
        opened(session)
        limit = session.extensions.size
        report(f"takes mails of up to {limit} octets" if limit else "names no limit of size")
        if to is None:
            await transaction.try_mail(session, mail, budget)
            report(f"MAIL FROM {mail.sender}: accepted")
        else:
            _report(await _hand_over(session, mail, budget), report)
    except SmarthostAtFault as fault:
        raise CheckFailed(fault.reason) from None
    await session.quit(_TIMEOUTS.leave)


async def _hand_over(session: Session, mail: Envelope, budget: TimeBudget) -> Outcome:
    try:
        if (known := transaction.unsendable(mail, session)) is not None:
            return known
        answer = await transaction.begin(session, mail, budget.of(_TIMEOUTS.mail))
    except SessionLost as lost:
        raise SmarthostAtFault(f"MAIL: {lost}", lost.code) from None
    return await transaction.finish(session, mail, answer, _passed, budget)


async def _passed() -> bool:
    """Let the dot follow: a test mail has no delivery that another worker could claim."""
    return True


def _report(outcome: Outcome, report: Callable[[str], None]) -> None:
    if not isinstance(outcome, Sent):
        reason, reply = getattr(outcome, "reason", "refused"), getattr(outcome, "reply", None)
        raise CheckFailed(f"{reason}: {reply}" if reply else reason)
    report(f"test mail accepted: {outcome.reply}")


def _mail(sender: Mailbox, signer: Signer | None, recipient: str) -> Envelope:
    local, domain = wire_form(recipient)
    number: UUID = uuid4()
    headers = (
        address_header("From", sender.name, str(sender)),
        plain_header("To", f"{local}@{domain}"),
        text_header("Subject", "Ledgerpost test mail"),
        plain_header("Date", format_datetime(datetime.now(UTC))),
        plain_header("Message-ID", f"<{number}@{sender.domain}>"),
        plain_header("Auto-Submitted", "auto-generated"),
        plain_header("MIME-Version", "1.0"),
        plain_header("Content-Type", "text/plain; charset=us-ascii"),
    )
    head, text = "".join(headers).encode(), _TEXT.encode()
    if signer is not None:
        head = signer.headers(head, body_hash(text)) + head
    return Envelope(
        sender=sender.return_path(number),
        recipient=f"{local}@{domain}",
        data=b"".join((head, b"\r\n", text)),
        smtputf8=not local.isascii(),
    )
