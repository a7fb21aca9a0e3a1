"""The connections to the smarthost, and one mail at a time over each."""

import asyncio
import time
from dataclasses import replace

from services.mailer.smtp import transaction
from services.mailer.smtp.connect import Opening, opening
from services.mailer.smtp.outcomes import (
    Failed,
    NotHandedOver,
    Outcome,
    SmarthostAtFault,
    TooManySessions,
)
from services.mailer.smtp.places import Places
from services.mailer.smtp.replies import CLOSING, Reply
from services.mailer.smtp.session import Session, SessionLost
from services.mailer.smtp.smarthost import Smarthost, Timeouts
from services.mailer.smtp.transaction import Gate, Patience
from shared.deliveries.reasons import ReasonCode
from shared.mail.envelope import Envelope


class Sessions:
    """At most `size` connections to the smarthost at once, each for one mail after another."""

    def __init__(
        self, smarthost: Smarthost, size: int, timeouts: Timeouts, name: str | None = None
    ) -> None:
        self._smarthost = smarthost
        self._timeouts = timeouts
        self._name = name
        self._places = Places(size)
        self._at_work = 0
        self._step_by_step = False
        self._kept: dict[Session, asyncio.TimerHandle] = {}
        self._leaving: set[asyncio.Task[None]] = set()
        self._preparing = asyncio.Lock()
        self._opening: Opening | None = None
        self._closed = False
        self._dismissed = False
        self._fault: SmarthostAtFault | None = None
        self._refused: Envelope | None = None

    async def hand_over(self, envelope: Envelope, gate: Gate) -> Outcome:
        """Hand one mail over; `gate` commits the claim and says whether it is ours still.

        The dot is written only after the gate returned True. At most `to_gate` seconds pass from
        a free connection to the gate, then `gate` and `final`. Raises SmarthostAtFault, and what
        the gate raises, both without a dot; a cancellation may come after it.
        """
        if (problem := envelope.problem()) is not None:
            return Failed(f"unsendable: {problem}", code=ReasonCode.MAIL_NOT_MAKEABLE)
        known = self._fault
        while (outcome := await self._in_a_place(envelope, gate, known)) is None:
            pass  # the smarthost took no further session, and there are fewer places now
        return outcome

    async def _in_a_place(
        self, envelope: Envelope, gate: Gate, known: SmarthostAtFault | None
    ) -> Outcome | None:
        async with self._places:
            if self._fault is not known and self._fault is not None:
                # Found out while this mail waited for its turn: not every one has to try.
                raise type(self._fault)(self._fault.reason, self._fault.code)
            if self._dismissed:
                return NotHandedOver("the worker stops", code=ReasonCode.WORKER_STOPPED)
            begun = time.monotonic()
            try:
                return await self._hand_over(envelope, gate)
            except SmarthostAtFault as fault:
                held = self._at_work + len(self._kept)
                if isinstance(fault, TooManySessions) and self._places.refused(begun, held):
                    return None
                self._fault = fault
                raise

    def blame(self, fault: SmarthostAtFault) -> None:
        """Have whoever waits for a connection now raise a copy of `fault` instead of trying."""
        self._fault = fault

    def dismiss(self) -> None:
        """Let no further mail have a connection; those that have one keep it to their end."""
        self._dismissed = True

    async def probe(self) -> None:
        """Open and keep a ready session, on which the MAIL last refused, if any, now passes.

        Raises SmarthostAtFault.
        """
        async with self._places:
            if (kept := self._take()) is not None:
                kept.abort()  # its place is needed, and it proves nothing
            patience = Patience(self._timeouts)
            session = await self._open(patience)
            try:
                if self._refused is not None:
                    await transaction.rehearse(session, self._refused, patience)
            except BaseException:
                session.abort()
                raise
            self._refused = None
            self._keep(session)

    async def close(self) -> None:
        """Say goodbye on the kept connections; those in use end after their mail."""
        self._closed = True
        for session in list(self._kept):
            self._retire(session)
        await asyncio.gather(*self._leaving)

    async def _hand_over(self, envelope: Envelope, gate: Gate) -> Outcome:
        patience = Patience(self._timeouts)
        session, answer = await self._begin(envelope, patience)
        if isinstance(answer, Failed):
            self._keep(session)
            return answer
        self._at_work += 1
        try:
            return await transaction.finish(session, envelope, answer, gate, patience)
        except SmarthostAtFault:
            self._refused = envelope
            session.abort()
            raise
        except BaseException:
            session.abort()
            raise
        finally:
            self._at_work -= 1
            self._step_by_step |= session.unheard
            self._keep(session)

    async def _begin(
        self, envelope: Envelope, patience: Patience
    ) -> tuple[Session, Reply | Failed]:
        """Get a session and its answer to MAIL; a kept one that proves dead is replaced once."""
        session = self._take()
        if session is not None:
            try:
                answer = await self._mail(session, envelope, patience.of(self._timeouts.reuse))
            except SessionLost:
                session.abort()
            else:
                if isinstance(answer, Failed) or answer.code != CLOSING:
                    return session, answer
                session.abort()
        session = await self._open(patience)
        try:
            limit = patience.of(self._timeouts.mail)
            return session, await self._mail(session, envelope, limit)
        except SessionLost as lost:
            session.abort()
            raise SmarthostAtFault(f"MAIL: {lost}", lost.code) from None

    async def _mail(self, session: Session, envelope: Envelope, limit: float) -> Reply | Failed:
        if self._step_by_step:
            session.extensions = replace(session.extensions, pipelining=False)
        try:
            return transaction.unsendable(envelope, session) or await transaction.begin(
                session, envelope, limit
            )
        except asyncio.CancelledError:
            session.abort()
            raise

    async def _open(self, patience: Patience) -> Session:
        async with self._preparing:
            if self._opening is None:
                self._opening = await asyncio.to_thread(opening, self._smarthost, self._name)
        return await self._opening.session(self._timeouts.ready, patience.left)

    def _take(self) -> Session | None:
        """Take the kept session last used that is still alive and silent."""
        while self._kept:
            session, timer = self._kept.popitem()
            timer.cancel()
            if session.ended is None and session.unread is None:
                return session
            session.abort()
        return None

    def _keep(self, session: Session) -> None:
        if session.ended is not None:
            return
        loop = asyncio.get_running_loop()
        self._kept[session] = loop.call_later(self._timeouts.idle, self._retire, session)
        if self._closed:
            self._retire(session)

    def _retire(self, session: Session) -> None:
        self._kept.pop(session).cancel()
        task = asyncio.create_task(session.leave(self._timeouts.leave))
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)
