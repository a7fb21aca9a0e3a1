"""The answers to a mail server: whether an address is one of ours, and whether a mail is stored."""

from collections.abc import Sequence

import structlog
from aiosmtpd.smtp import SMTP, Envelope, Session
from prometheus_client import CollectorRegistry, Counter

from services.mailer.returns.content import Content
from services.mailer.returns.limits import Limits, Pace, host_of
from shared.db.postgres import CONFLICTS, UNAVAILABLE
from shared.deliveries.states import State
from shared.process.trouble import Trouble
from shared.returns.intake import Incoming, NotSettledYet, Source
from shared.returns.receiving import Place, Receiver

_log = structlog.get_logger("ledgerpost.returns")

WELCOME = "250 2.1.0 OK"
OURS = "250 2.1.5 OK"
STORED = "250 2.0.0 stored"
NOT_OURS = "550 5.1.1 this is no return path of ours"
TOO_MANY_RECIPIENTS = "452 4.5.3 too many recipients: send the mail again for the others"
FULL = "552 5.2.2 too many mails came back for this address"
TOO_FAST = "451 4.3.2 too many mails in this minute: try again later"
NO_MEMORY = "452 4.3.1 too many mails at this moment: try again later"
TOO_LARGE = "552 5.3.4 the mail is too large"
AWAY = "451 4.3.0 the mail cannot be stored at this moment: try again later"
NOT_YET = "451 4.3.0 the mail that came back is being handed over: try again later"
FAILED = "451 4.3.0 something went wrong: try again later"


class ReturnEnvelope(Envelope):
    """The envelope of a mail, with the deliveries that its recipients name."""

    def __init__(self) -> None:
        """Create it without recipients."""
        super().__init__()
        self.places: dict[str, Place] = {}


class Answers:
    """Answers the commands of all connections; its handle_ methods are called by aiosmtpd."""

    def __init__(
        self,
        receiver: Receiver,
        limits: Limits,
        trouble: Trouble,
        counted: CollectorRegistry,
    ) -> None:
        """Create it; `receiver` knows whether an address is one of ours, and stores the mails."""
        self._receiver = receiver
        self._limits = limits
        self._trouble = trouble
        self._pace = Pace(limits)
        self._replies = Counter(
            "ledgerpost_return_replies",
            "Replies to mail servers, by command and class (2: yes, 4: later, 5: no).",
            ["command", "class"],
            registry=counted,
        )

    async def handle_EHLO(  # noqa: N802 - aiosmtpd calls it so
        self, _: SMTP, session: Session, __: Envelope, name: str, replies: list[str]
    ) -> list[str]:
        """Add what we support beside what aiosmtpd does."""
        session.host_name = name
        own = ["250-PIPELINING", "250-ENHANCEDSTATUSCODES"]
        return [*(each for each in replies[:-1] if "-AUTH" not in each), *own, replies[-1]]

    async def handle_MAIL(  # noqa: N802 - aiosmtpd calls it so
        self, _: SMTP, session: Session, envelope: Envelope, sender: str, options: Sequence[str]
    ) -> str:
        """Accept any sender, unless there are too many mails."""
        if not self._pace.admits(host_of(session.peer)):
            return TOO_FAST
        envelope.mail_from = sender
        envelope.mail_options.extend(options)
        return WELCOME

    async def handle_RCPT(  # noqa: N802 - aiosmtpd calls it so
        self, _: SMTP, __: Session, envelope: ReturnEnvelope, address: str, ___: Sequence[str]
    ) -> str:
        """Accept a return path of ours whose delivery is in the history."""
        reply = await self._answer_to(address, envelope)
        if reply == OURS:
            envelope.rcpt_tos.append(address)
        self._replies.labels("rcpt", reply[0]).inc()
        return reply

    async def handle_exception(self, error: Exception) -> str:
        """Log an error of ours without what the sender wrote, and let the sender come again."""
        _log.error("return_answered_with_error", error=type(error).__name__)
        return FAILED

    async def stored(self, envelope: ReturnEnvelope, content: Content, source: Source) -> list[str]:
        """Store a mail for each of its recipients, and return the reply about each."""
        if content.size > self._limits.mail_bytes:
            replies = [TOO_LARGE] * len(envelope.rcpt_tos)
        elif content.kept is None:
            replies = [NO_MEMORY] * len(envelope.rcpt_tos)
        else:
            raw = _return_path(envelope.mail_from or "") + content.kept
            size = content.size + len(raw) - len(content.kept)
            replies = [
                await self._stored(Incoming(raw, source, each, size=size), envelope.places[each])
                for each in envelope.rcpt_tos
            ]
        for reply in replies:
            self._replies.labels("data", reply[0]).inc()
        return replies

    async def _answer_to(self, address: str, envelope: ReturnEnvelope) -> str:
        is_plain = address.isascii() and address.isprintable()
        # A wrong signature asks no database: there may be millions of them.
        if not is_plain or (named := self._receiver.named(address)) is None:
            return NOT_OURS
        if len(envelope.rcpt_tos) >= self._limits.recipients:
            return TOO_MANY_RECIPIENTS
        try:
            place = await self._receiver.find(named)
        except UNAVAILABLE as error:
            self._trouble.met(error)
            return AWAY
        self._trouble.over()
        if place.match is None:
            return NOT_OURS
        if place.match.is_full:
            return FULL
        envelope.places[address] = place
        return NOT_YET if place.match.state == State.COMMITTING else OURS

    async def _stored(self, incoming: Incoming, place: Place) -> str:
        try:
            await self._receiver.receive(incoming, place)
        except NotSettledYet:
            return NOT_YET
        except (*UNAVAILABLE, *CONFLICTS) as error:
            self._trouble.met(error)
            return AWAY
        except Exception as error:  # noqa: BLE001 -- by LMTP the other recipients get theirs
            return await self.handle_exception(error)
        self._trouble.over()
        return STORED


def _return_path(sender: str) -> bytes:
    """Return the field with the sender of the envelope, as a server of final delivery adds it.

    A bounce whose server has words of its own is known by its empty sender.
    """
    address = "".join(filter(str.isprintable, sender.strip("<>")))
    return f"Return-Path: <{address}>\r\n".encode()
