"""The pool of sessions with the smarthost; each carries one mail at a time."""

import asyncio
import time
from dataclasses import replace
from typing import Final

from services.mailer.smtp import transaction
from services.mailer.smtp.connector import Connector, connector
from services.mailer.smtp.outcomes import (
    Failed,
    NotHandedOver,
    Outcome,
    SmarthostAtFault,
    TooManySessions,
)
from services.mailer.smtp.replies import CLOSING, Reply
from services.mailer.smtp.session import Session, SessionLost
from services.mailer.smtp.session_limit import SessionLimit
from services.mailer.smtp.smarthost import Smarthost, Timeouts
from services.mailer.smtp.transaction import Gate, TimeBudget
from shared.deliveries.reasons import ReasonCode
from shared.mail.envelope import Envelope

_NOBODY: Final = 0  # no business, for a session without a mail


class SessionPool:
    """At most `size` sessions with the smarthost; a free one is parked for the next mail."""

    def __init__(
        self, smarthost: Smarthost, size: int, timeouts: Timeouts, name: str | None = None
    ) -> None:
        self._smarthost = smarthost
        self._timeouts = timeouts
        self._name = name
        self._limit = SessionLimit(size)
        self._busy = 0
        self._no_pipelining = False
        self._parked: dict[Session, asyncio.TimerHandle] = {}
        self._quitting: set[asyncio.Task[None]] = set()
        self._preparing = asyncio.Lock()
        self._connector: Connector | None = None
        self._closed = False
        self._stopped = False
        self._fault: SmarthostAtFault | None = None
        self._refused: Envelope | None = None

    @property
    def sizes(self) -> tuple[int, int, int]:
        """The number of sessions that carry a mail, that are parked, and that may be open."""
        return self._busy, len(self._parked), self._limit.limit

    async def hand_over(self, envelope: Envelope, gate: Gate, business: int = _NOBODY) -> Outcome:
        """Hand one mail over when it is the turn of its business.

        `gate` commits the claim and returns whether it is still ours. The dot is written only after
        the gate returned True. At most `to_gate` seconds pass from a free session to the gate, then
        `gate` and `final`. Raises SmarthostAtFault, and what the gate raises, both without a dot; a
        cancellation may come after it.
        """
        if (problem := envelope.problem()) is not None:
            return Failed(f"unsendable: {problem}", code=ReasonCode.MAIL_NOT_MAKEABLE)
        known = self._fault
        while (outcome := await self._within_limit(envelope, gate, business, known)) is None:
            pass  # the smarthost took no further session, and the limit is lower now
        return outcome

    async def _within_limit(
        self, envelope: Envelope, gate: Gate, business: int, known: SmarthostAtFault | None
    ) -> Outcome | None:
        async with self._limit.turn(business):
            if self._fault is not known and self._fault is not None:
                # Found out while this mail waited for its turn: not every one has to try.
                raise type(self._fault)(self._fault.reason, self._fault.code)
            if self._stopped:
                return NotHandedOver("the worker stops", code=ReasonCode.WORKER_STOPPED)
            begun = time.monotonic()
            try:
                return await self._hand_over(envelope, gate)
            except SmarthostAtFault as fault:
                open_sessions = self._busy + len(self._parked)
                if isinstance(fault, TooManySessions) and self._limit.refused(begun, open_sessions):
                    return None
                self._fault = fault
                raise

    def blame(self, fault: SmarthostAtFault) -> None:
        """Let every mail that waits for a session raise a copy of `fault` instead."""
        self._fault = fault

    def stop(self) -> None:
        """Give no further mail a session; mails that have one keep it to their end."""
        self._stopped = True

    async def probe(self) -> None:
        """Open a session, repeat the MAIL command that was last refused, and park the session.

        Raises SmarthostAtFault if there is no session or the command is refused again.
        """
        async with self._limit.turn(_NOBODY):
            if (parked := self._take()) is not None:
                parked.abort()  # its place is needed, and it proves nothing
            budget = TimeBudget(self._timeouts)
            session = await self._open(budget)
            try:
                if self._refused is not None:
                    await transaction.try_mail(session, self._refused, budget)
            except BaseException:
                session.abort()
                raise
            self._refused = None
            self._park(session)

    async def close(self) -> None:
        """Send QUIT on the parked sessions; busy ones end after their mail."""
        self._closed = True
        for session in list(self._parked):
            self._quit(session)
        await asyncio.gather(*self._quitting)

    async def _hand_over(self, envelope: Envelope, gate: Gate) -> Outcome:
        budget = TimeBudget(self._timeouts)
        session, answer = await self._begin(envelope, budget)
        if isinstance(answer, Failed):
            self._park(session)
            return answer
        self._busy += 1
        try:
            return await transaction.finish(session, envelope, answer, gate, budget)
        except SmarthostAtFault:
            self._refused = envelope
            session.abort()
            raise
        except BaseException:
            session.abort()
            raise
        finally:
            self._busy -= 1
            self._no_pipelining |= session.ignored_pipelining
            self._park(session)

    async def _begin(
        self, envelope: Envelope, budget: TimeBudget
    ) -> tuple[Session, Reply | Failed]:
        """Return a session and its reply to MAIL; a parked one that is dead is replaced once."""
        session = self._take()
        if session is not None:
            try:
                answer = await self._mail(session, envelope, budget.of(self._timeouts.reuse))
            except SessionLost:
                session.abort()
            else:
                if isinstance(answer, Failed) or answer.code != CLOSING:
                    return session, answer
                session.abort()
        session = await self._open(budget)
        try:
            limit = budget.of(self._timeouts.mail)
            return session, await self._mail(session, envelope, limit)
        except SessionLost as lost:
            session.abort()
            raise SmarthostAtFault(f"MAIL: {lost}", lost.code) from None

    async def _mail(self, session: Session, envelope: Envelope, limit: float) -> Reply | Failed:
        if self._no_pipelining:
            session.extensions = replace(session.extensions, pipelining=False)
        try:
            return transaction.unsendable(envelope, session) or await transaction.begin(
                session, envelope, limit
            )
        except asyncio.CancelledError:
            session.abort()
            raise

    async def _open(self, budget: TimeBudget) -> Session:
        async with self._preparing:
            if self._connector is None:
                self._connector = await asyncio.to_thread(connector, self._smarthost, self._name)
        return await self._connector.session(self._timeouts.ready, budget.left)

    def _take(self) -> Session | None:
        """Return the session that was parked last and is still alive and silent, or None."""
        while self._parked:
            session, timer = self._parked.popitem()
            timer.cancel()
            if session.ended is None and session.unread is None:
                return session
            session.abort()
        return None

    def _park(self, session: Session) -> None:
        if session.ended is not None:
            return
        loop = asyncio.get_running_loop()
        self._parked[session] = loop.call_later(self._timeouts.idle, self._quit, session)
        if self._closed:
            self._quit(session)

    def _quit(self, session: Session) -> None:
        self._parked.pop(session).cancel()
        task = asyncio.create_task(session.quit(self._timeouts.leave))
        self._quitting.add(task)
        task.add_done_callback(self._quitting.discard)
