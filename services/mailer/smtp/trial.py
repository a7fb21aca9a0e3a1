"""The trial of refusals: whom they hit shows whether the mail or the smarthost is at fault."""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from services.mailer.smtp.outcomes import (
    Blame,
    Deferred,
    Failed,
    NotHandedOver,
    Outcome,
    RefusesAll,
    Sent,
)
from shared.amqp.breaker import Breaker
from shared.deliveries.reasons import ReasonCode

_IN_A_ROW = 2  # recipients with the same unclear refusal, before the smarthost is at fault
_REMEMBERED = 900.0  # seconds for which a mail is known to be at fault itself
_OFTEN = 3  # pauses caused by one business, while mails of others were accepted after each
_GIVES_WAY = 3.0  # seconds of a trial, for each thing that a mail has in common with refused ones
_MOST = 1000
_ADDRESS = re.compile(r"[^\s<>]+@[^\s<>]+")

Key = str | UUID | int


@dataclass(frozen=True, slots=True)
class Addressed:
    """What mails may have in common: the recipient, the send (and so the text), the business."""

    recipient: str
    send: UUID
    business: int
    attempts: int = 0

    @property
    def keys(self) -> frozenset[Key]:
        """All three; they have different types, so no two are equal by chance."""
        return frozenset({self.recipient, self.send, self.business})


@dataclass(frozen=True, slots=True)
class _Refused:
    at: float
    mail: Addressed
    blame: Blame
    kind: str


class Trial:
    """Decides whether a mail or the smarthost is at fault for a refusal.

    The smarthost is at fault if the refusal is about the smarthost, or hits different recipients in
    a row: consumption pauses. After the pause mails go out one at a time until one is accepted,
    first those with least in common with the refused ones. An accepted mail shows that the refused
    ones were at fault themselves: for a while their refusals cause no pause, so that they never
    hold up the queue. A business that has caused several pauses while mails of others were accepted
    causes no more.
    """

    def __init__(self, breaker: Breaker, clock: Callable[[], float] = time.monotonic) -> None:
        self._breaker = breaker
        self._clock = clock
        self._turn: Final = asyncio.Lock()
        self._row: dict[str, _Refused] = {}  # by recipient, since the last accepted mail
        self._own: dict[Key, float] = {}  # keys of mails that are at fault themselves, until when
        self._causes: list[tuple[int, float]] = []  # businesses that caused a pause, until when

    async def of(self, mail: Addressed, handing: Callable[[], Awaitable[Outcome]]) -> Outcome:
        """Hand a mail over by `handing` when it is its turn, and return the decided outcome.

        Raises RefusesAll, and what `handing` raises.
        """
        if self._breaker.doubt is not None:
            async with self._turn:
                if (doubt := self._breaker.doubt) is not None:
                    if self._gives_way(mail):
                        return NotHandedOver(
                            f"another mail is tried first, after: {doubt}",
                            code=ReasonCode.SMARTHOST_ON_TRIAL,
                        )
                    return await self._judged(mail, handing)
        return await self._judged(mail, handing)

    async def _judged(self, mail: Addressed, handing: Callable[[], Awaitable[Outcome]]) -> Outcome:
        begun = self._clock()
        outcome = await handing()
        if isinstance(outcome, Sent):
            self._accepted(mail, begun)
        elif isinstance(outcome, Failed) and outcome.blame is not Blame.MAIL:
            return self._refused(mail, outcome)
        return outcome

    def _gives_way(self, mail: Addressed) -> bool:
        if self._breaker.reason is not None:
            return True  # the mail on trial was refused meanwhile
        common = max((len(mail.keys & each.mail.keys) for each in self._row.values()), default=0)
        return self._clock() - self._breaker.closed_at < common * _GIVES_WAY

    def _accepted(self, mail: Addressed, begun: float) -> None:
        self._breaker.proven()
        self._own.pop(mail.recipient, None)
        # A mail that was refused while this one was in flight may have a newer cause.
        disproved = [item for item in self._row.items() if item[1].at < begun]
        causes = {each.mail.business for _, each in disproved if each.blame is Blame.SMARTHOST}
        until = self._clock() + _REMEMBERED
        self._causes += [(business, until) for business in causes - {mail.business}]
        for recipient, each in disproved:
            del self._row[recipient]
            # A quota or a session may serve one mail and not the next one of the same send.
            known = each.mail.keys if each.blame is Blame.UNCLEAR else {recipient}
            for key in known - mail.keys:
                self._own[key] = until

    def _refused(self, mail: Addressed, refused: Failed) -> Outcome:
        unclear = refused.blame is Blame.UNCLEAR
        now = self._clock()
        self._own = {key: until for key, until in self._own.items() if until > now}
        if self._may_be_anybodys(mail, now, unclear=unclear):
            kind = f"{refused.reason} {(refused.reply or '')[:3]}"
            self._row[mail.recipient] = _Refused(now, mail, refused.blame, kind)
            if len(self._row) > _MOST:
                del self._row[next(iter(self._row))]
            hit = sum(each.kind == kind for each in self._row.values())
            if not unclear or hit >= _IN_A_ROW:
                # Readiness and the log show it; the delivery keeps the reply as it was.
                said = _ADDRESS.sub("…", f"{refused.reason}: {refused.reply}")
                raise RefusesAll(said, refused.code)
        elif not unclear:
            return _later(refused, "while others are accepted")
        if mail.attempts or not self._own.keys().isdisjoint({mail.recipient, mail.send}):
            return refused
        return _later(refused, "tried once more before it fails")

    def _may_be_anybodys(self, mail: Addressed, now: float, *, unclear: bool) -> bool:
        if unclear:
            return self._own.keys().isdisjoint(mail.keys)
        self._causes = [cause for cause in self._causes if cause[1] > now]
        often = sum(business == mail.business for business, _ in self._causes) >= _OFTEN
        return mail.recipient not in self._own and not often


def _later(refused: Failed, why: str) -> Deferred:
    return Deferred(f"{refused.reason}, {why}", refused.reply, code=refused.code)
