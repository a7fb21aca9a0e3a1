"""The mail transaction of RFC 5321, 3.3, over one session, with the gate before its final dot."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from services.mailer.smtp.outcomes import (
    Deferred,
    Failed,
    GateLost,
    InDoubt,
    NotHandedOver,
    Outcome,
    Sent,
    SmarthostAtFault,
)
from services.mailer.smtp.refusals import refusal
from services.mailer.smtp.replies import CLOSING, START_INPUT, Reply
from services.mailer.smtp.reply_codes import reason_code
from services.mailer.smtp.session import Garbled, NoAnswer, Session, SessionLost
from services.mailer.smtp.smarthost import Timeouts
from shared.deliveries.reasons import ReasonCode
from shared.mail.envelope import Envelope

Gate = Callable[[], Awaitable[bool]]

DOT = b".\r\n"


class TimeBudget:
    """The time for each phase, within `to_gate` for all phases before the gate."""

    def __init__(self, timeouts: Timeouts) -> None:
        self.timeouts = timeouts
        self._end = asyncio.get_running_loop().time() + timeouts.to_gate

    def of(self, phase: float) -> float:
        """Return `phase` seconds, or fewer if all time is over before."""
        return max(0.0, min(phase, self.left))

    @property
    def left(self) -> float:
        """The seconds until all time is over; below zero after that."""
        return self._end - asyncio.get_running_loop().time()


async def begin(session: Session, envelope: Envelope, timeout: float) -> Reply:
    """Send MAIL, followed by RCPT and DATA if the smarthost pipelines; return the reply to MAIL.

    Raises SessionLost, also after `timeout` seconds; nothing of the message has been sent then.
    """
    commands = _mail(envelope)
    if session.extensions.pipelining:
        commands += _rcpt(envelope) + b"DATA\r\n"
    session.write(commands)
    return await session.reply(timeout)


async def finish(
    session: Session,
    envelope: Envelope,
    answer: Reply,
    gate: Gate,
    budget: TimeBudget,
) -> Outcome:
    """Take the mail from the reply to MAIL to its outcome; the session is left clean or aborted.

    Raises SmarthostAtFault if MAIL was refused and the mail is not at fault, and what the gate
    raises; no dot was written then, and the caller has to abort the session.
    """
    try:
        outcome = await _to_start_of_data(session, envelope, answer, budget)
        if outcome is None:
            outcome = await _body(session, envelope, budget)
    except SessionLost as lost:
        session.abort()
        return Deferred(f"before the gate: {lost}", code=lost.code)
    if outcome is None:
        outcome = await _gate(session, gate, budget.timeouts.gate)
    if outcome is None:
        session.write(DOT)
        outcome = await _verdict(session, budget.timeouts.final)
    return outcome


async def _to_start_of_data(
    session: Session, envelope: Envelope, answer: Reply, budget: TimeBudget
) -> Outcome | None:
    """Send the commands up to the reply 354 and return None, or return the outcome instead."""
    pipelined = session.extensions.pipelining
    if not answer.positive:
        await _reset(session, answer, 2 if pipelined else 0, budget)
        return _mail_refused(envelope, answer)
    if not pipelined:
        session.write(_rcpt(envelope))
    try:
        answer = await session.reply(_until_rcpt(session, budget))
    except NoAnswer:
        if not pipelined or budget.left <= 0:
            raise
        session.abort()
        session.ignored_pipelining = True
        return NotHandedOver(
            "the smarthost did not answer what was sent ahead, as it had offered",
            code=ReasonCode.SMARTHOST_TIMEOUT,
        )
    if not answer.positive:
        await _reset(session, answer, 1 if pipelined else 0, budget)
        return refusal("RCPT", answer)
    if not pipelined:
        session.write(b"DATA\r\n")
    answer = await session.reply(budget.of(budget.timeouts.data))
    if answer.code != START_INPUT:
        await _reset(session, answer, 0, budget)
        return refusal("DATA", answer)
    return None


def _until_rcpt(session: Session, budget: TimeBudget) -> float:
    # A smarthost that ignores what was sent ahead is tried again step by step, with all the time.
    most = budget.timeouts.ahead if session.extensions.pipelining else budget.timeouts.rcpt
    return budget.of(min(most, budget.timeouts.rcpt))


def _mail_refused(envelope: Envelope, answer: Reply) -> Outcome:
    # MAIL names no recipient, but its SMTPUTF8 is the mail's doing and must not stop the others.
    if answer.code == CLOSING or (not answer.transient and not envelope.smtputf8):
        raise SmarthostAtFault(f"MAIL: {answer}", reason_code("MAIL", answer))
    return refusal("MAIL", answer)


async def _reset(session: Session, answer: Reply, unread: int, budget: TimeBudget) -> None:
    """End a refused transaction by RSET; abort the session if it cannot carry another one."""
    if answer.code == CLOSING:
        session.abort()
        return
    try:
        for _ in range(unread):
            if (await session.reply(budget.timeouts.leave)).code == START_INPUT:
                # DATA was accepted without a recipient: only a dot or an abort ends it.
                session.abort()
        session.write(b"RSET\r\n")
        if not (await session.reply(budget.timeouts.leave)).positive:
            session.abort()
    except SessionLost:
        session.abort()


async def _body(session: Session, envelope: Envelope, budget: TimeBudget) -> Outcome | None:
    """Write the message without its end, until all buffers are empty. None: no reply came."""
    session.write(stuffed(envelope.data))
    await session.drain(budget.timeouts.block, budget.left)
    await session.settle()
    if (reply := session.unread) is not None:
        session.abort()
        return refusal("the message's text", reply)
    if session.ended is not None:
        raise session.lost()
    return None


def stuffed(data: bytes) -> bytes:
    """Double each dot that begins a line, so that no line of the message can end it."""
    first = b"." if data.startswith(b".") else b""
    return first + data.replace(b"\r\n.", b"\r\n..")


async def _gate(session: Session, gate: Gate, limit: float) -> Outcome | None:
    """Pass the gate, or abort. After None the dot may be written, before any await."""
    # By the boot-time clock, because the monotonic one stands still while the machine sleeps.
    begun = time.clock_gettime(time.CLOCK_BOOTTIME)
    alarm = asyncio.timeout(limit)
    try:
        async with alarm:
            ours = await gate()
    except TimeoutError:
        if not alarm.expired():
            raise
        session.abort()
        return NotHandedOver("the gate did not answer in time", code=ReasonCode.GATE_NOT_PASSED)
    if ours is not True:
        session.abort()
        return GateLost()
    await session.settle()
    outcome: Outcome | None = None
    if (reply := session.unread) is not None:
        outcome = NotHandedOver(
            "the smarthost spoke before the end of the message",
            str(reply),
            code=reason_code("the message's text", reply),
        )
    elif session.ended is not None:
        outcome = NotHandedOver(f"at the gate: {session.ended}", code=session.lost().code)
    elif time.clock_gettime(time.CLOCK_BOOTTIME) - begun > limit:
        outcome = NotHandedOver("the gate was too slow", code=ReasonCode.GATE_NOT_PASSED)
    if outcome is not None:
        session.abort()
    return outcome


async def _verdict(session: Session, limit: float) -> Outcome:
    """Return the outcome by the reply to the dot."""
    try:
        reply = await session.reply(limit)
    except SessionLost as lost:
        session.abort()
        garbled = isinstance(lost, Garbled)
        code = ReasonCode.REPLY_UNCLEAR if garbled else ReasonCode.REPLY_MISSING
        return InDoubt(f"after the end of the message: {lost}", code=code)
    if reply.code == CLOSING:
        session.abort()
    if reply.positive:
        return Sent(str(reply))
    if reply.transient or reply.permanent:
        return refusal("the end of the message", reply)
    session.abort()
    return InDoubt(
        "unexpected reply to the end of the message", str(reply), code=ReasonCode.REPLY_UNCLEAR
    )


async def try_mail(session: Session, envelope: Envelope, budget: TimeBudget) -> None:
    """Send MAIL of a mail and nothing more. Raises SmarthostAtFault if `finish` would."""
    try:
        session.write(_mail(envelope))
        answer = await session.reply(budget.of(budget.timeouts.mail))
    except SessionLost as lost:
        raise SmarthostAtFault(f"MAIL: {lost}", lost.code) from None
    await _reset(session, answer, 0, budget)
    if not answer.positive:
        _mail_refused(envelope, answer)


def unsendable(envelope: Envelope, session: Session) -> Failed | None:
    """Say what this smarthost is known not to take, before it is asked."""
    if envelope.smtputf8 and not session.extensions.smtputf8:
        return Failed("the smarthost lacks SMTPUTF8", code=ReasonCode.SMTPUTF8_UNSUPPORTED)
    if 0 < session.extensions.size < len(envelope.data):
        return Failed(
            f"the smarthost takes no more than {session.extensions.size} octets",
            code=ReasonCode.MESSAGE_TOO_LARGE,
        )
    return None


def _mail(envelope: Envelope) -> bytes:
    option = " SMTPUTF8" if envelope.smtputf8 else ""
    return f"MAIL FROM:<{envelope.sender}>{option}\r\n".encode()


def _rcpt(envelope: Envelope) -> bytes:
    return f"RCPT TO:<{envelope.recipient}>\r\n".encode()
