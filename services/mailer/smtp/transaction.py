"""One mail over one session, with the gate before its final dot."""

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


class Patience:
    """How long each phase may take, when all before the gate together may take `to_gate`."""

    def __init__(self, timeouts: Timeouts) -> None:
        self.timeouts = timeouts
        self._end = asyncio.get_running_loop().time() + timeouts.to_gate

    def of(self, phase: float) -> float:
        """`phase` seconds, or fewer when the whole runs out before."""
        return max(0.0, min(phase, self.left))

    @property
    def left(self) -> float:
        """Seconds until the whole runs out; below zero after that."""
        return self._end - asyncio.get_running_loop().time()


async def begin(session: Session, mail: Envelope, timeout: float) -> Reply:
    """Send MAIL, with RCPT and DATA behind it where the smarthost pipelines, and return its answer.

    Raises SessionLost, also after `timeout` seconds; none of the message has been sent then.
    """
    commands = _mail(mail)
    if session.extensions.pipelining:
        commands += _rcpt(mail) + b"DATA\r\n"
    session.write(commands)
    return await session.reply(timeout)


async def finish(
    session: Session,
    mail: Envelope,
    answer: Reply,
    gate: Gate,
    patience: Patience,
) -> Outcome:
    """Take the mail from MAIL's answer to its outcome; the session is left clean or aborted.

    Raises SmarthostAtFault when MAIL was refused for a reason that is not the mail's, and what the
    gate raises; no dot was written then, and the session is the caller's to abort.
    """
    try:
        outcome = await _to_start_of_data(session, mail, answer, patience)
        if outcome is None:
            outcome = await _body(session, mail, patience)
    except SessionLost as lost:
        session.abort()
        return Deferred(f"before the gate: {lost}", code=lost.code)
    if outcome is None:
        outcome = await _gate(session, gate, patience.timeouts.gate)
    if outcome is None:
        session.write(DOT)
        outcome = await _verdict(session, patience.timeouts.final)
    return outcome


async def _to_start_of_data(
    session: Session, mail: Envelope, answer: Reply, patience: Patience
) -> Outcome | None:
    """Get as far as 354 (None), or say why not."""
    pipelined = session.extensions.pipelining
    if not answer.positive:
        await _reset(session, answer, 2 if pipelined else 0, patience)
        return _mail_refused(mail, answer)
    if not pipelined:
        session.write(_rcpt(mail))
    try:
        answer = await session.reply(_until_rcpt(session, patience))
    except NoAnswer:
        if not pipelined or patience.left <= 0:
            raise
        session.abort()
        session.unheard = True
        return NotHandedOver(
            "the smarthost did not answer what was sent ahead, as it had offered",
            code=ReasonCode.SMARTHOST_TIMEOUT,
        )
    if not answer.positive:
        await _reset(session, answer, 1 if pipelined else 0, patience)
        return refusal("RCPT", answer)
    if not pipelined:
        session.write(b"DATA\r\n")
    answer = await session.reply(patience.of(patience.timeouts.data))
    if answer.code != START_INPUT:
        await _reset(session, answer, 0, patience)
        return refusal("DATA", answer)
    return None


def _until_rcpt(session: Session, patience: Patience) -> float:
    # Who answers nothing that was sent ahead is asked again step by step, with all the time.
    most = patience.timeouts.ahead if session.extensions.pipelining else patience.timeouts.rcpt
    return patience.of(min(most, patience.timeouts.rcpt))


def _mail_refused(mail: Envelope, answer: Reply) -> Outcome:
    # MAIL names no recipient, but its SMTPUTF8 is the mail's doing and must not stop the others.
    if answer.code == CLOSING or (not answer.transient and not mail.smtputf8):
        raise SmarthostAtFault(f"MAIL: {answer}", reason_code("MAIL", answer))
    return refusal("MAIL", answer)


async def _reset(session: Session, answer: Reply, unread: int, patience: Patience) -> None:
    """End a refused transaction, so that the session can carry the next; abort it otherwise."""
    if answer.code == CLOSING:
        session.abort()
        return
    try:
        for _ in range(unread):
            if (await session.reply(patience.timeouts.leave)).code == START_INPUT:
                # DATA was let in without a recipient: only a dot or an abort ends it.
                session.abort()
        session.write(b"RSET\r\n")
        if not (await session.reply(patience.timeouts.leave)).positive:
            session.abort()
    except SessionLost:
        session.abort()


async def _body(session: Session, mail: Envelope, patience: Patience) -> Outcome | None:
    """Write the message without its end, down to empty buffers; None if no reply came."""
    session.write(stuffed(mail.data))
    await session.drain(patience.timeouts.block, patience.left)
    await session.settle()
    if (reply := session.unread) is not None:
        session.abort()
        return refusal("the message's text", reply)
    if session.ended is not None:
        raise SessionLost(session.ended)
    return None


def stuffed(data: bytes) -> bytes:
    """Double each dot that begins a line, so that no line of the message can end it."""
    first = b"." if data.startswith(b".") else b""
    return first + data.replace(b"\r\n.", b"\r\n..")


async def _gate(session: Session, gate: Gate, limit: float) -> Outcome | None:
    """Pass the gate (None: the dot may be written now, before any await), or abort."""
    # Boot time, as the monotonic clock stands still while the machine sleeps.
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
        outcome = NotHandedOver(f"at the gate: {session.ended}", code=ReasonCode.CONNECTION_LOST)
    elif time.clock_gettime(time.CLOCK_BOOTTIME) - begun > limit:
        outcome = NotHandedOver("the gate was too slow", code=ReasonCode.GATE_NOT_PASSED)
    if outcome is not None:
        session.abort()
    return outcome


async def _verdict(session: Session, limit: float) -> Outcome:
    """Wait for what the smarthost makes of the dot."""
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


async def rehearse(session: Session, mail: Envelope, patience: Patience) -> None:
    """Try the MAIL of a mail and nothing more; raises SmarthostAtFault where `finish` would."""
    try:
        session.write(_mail(mail))
        answer = await session.reply(patience.of(patience.timeouts.mail))
    except SessionLost as lost:
        raise SmarthostAtFault(f"MAIL: {lost}", lost.code) from None
    await _reset(session, answer, 0, patience)
    if not answer.positive:
        _mail_refused(mail, answer)


def unsendable(mail: Envelope, session: Session) -> Failed | None:
    """Say what this smarthost is known not to take, before it is asked."""
    if mail.smtputf8 and not session.extensions.smtputf8:
        return Failed("the smarthost lacks SMTPUTF8", code=ReasonCode.SMTPUTF8_UNSUPPORTED)
    if 0 < session.extensions.size < len(mail.data):
        return Failed(
            f"the smarthost takes no more than {session.extensions.size} octets",
            code=ReasonCode.MESSAGE_TOO_LARGE,
        )
    return None


def _mail(mail: Envelope) -> bytes:
    option = " SMTPUTF8" if mail.smtputf8 else ""
    return f"MAIL FROM:<{mail.sender}>{option}\r\n".encode()


def _rcpt(mail: Envelope) -> bytes:
    return f"RCPT TO:<{mail.recipient}>\r\n".encode()
