"""The rates of mails: to the smarthost as a whole, and to each recipient domain.

It is no token bucket of a library, because a mail that has to wait long must not be held here with
its claim: it books a later turn, and comes back for it by way of Postgres.
"""

import asyncio
import random
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from shared.mail.address import Unsendable, wire_form
from shared.turns import Turns

_WAIT_S_MAX: Final = 1.5  # a mail may wait here, with its claim
_DELAY_S_MAX: Final = 900.0  # a mail may be deferred, so that a new rate counts soon
_EXPECTED_S: Final = 5.0  # a booked turn is kept for its business
_DOMAINS_MAX: Final = 1000
_BUSINESSES_MAX: Final = 1000


@dataclass(frozen=True, slots=True)
class Later:
    """The turn of a mail comes too late to wait for it here."""

    delay: timedelta
    reason: str


class Pace:
    """Turns that lie `1 / rate` seconds apart; businesses whose mails wait get them by turns.

    A mail that is deferred books a turn, so that deferred mails come back one by one and not all at
    once. Businesses with bookings share the time to come, so that a long line of one does not put
    the others off. The first mail that comes takes the turn, unless a business has booked it whose
    last turn is longer ago.
    """

    def __init__(self, rate: float, name: str, clock: Callable[[], float]) -> None:
        self.name = name
        self._apart = 1 / rate
        self._clock = clock
        self._next = 0.0
        # Of each business: its last turn, its first booking that it has not taken, and the time
        # from which it has booked nothing.
        self._took: dict[int, float] = {}
        self._expected: dict[int, float] = {}
        self._booked: dict[int, float] = {}
        self._waiting: dict[int, deque[asyncio.Future[None]]] = {}
        self._serving: asyncio.Task[None] | None = None

    def wait(self, business: int) -> float:
        """Return the seconds until the turn of a mail of the business that comes now."""
        own = len(self._waiting.get(business, ()))
        # By turns each other business has at most one turn more before it.
        ahead = sum(min(len(queue), own + 1) for queue in self._waiting.values())
        now = self._clock()
        turn = max(self._next, now)
        ahead += sum(
            turn - _EXPECTED_S < then <= turn
            and self._took.get(each, 0.0) < self._took.get(business, 0.0)
            for each, then in self._expected.items()
            if each not in self._waiting
        )
        return turn - now + ahead * self._apart

    async def take(self, business: int) -> None:
        """Wait for a turn of the business, and take it."""
        if not self._waiting and self._next <= self._clock():
            self._give(business)
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(business, deque()).append(turn)
        if self._serving is None:
            self._serving = asyncio.create_task(self._serve())
        await turn

    def book(self, business: int) -> float:
        """Book the next turn of the business that it has not booked; return the seconds until it.

        If that turn is too far off to be booked, return fewer seconds.
        """
        now = self._clock()
        turn = max(now + self.wait(business), self._booked.get(business, now))
        if turn - now > _DELAY_S_MAX:
            return _DELAY_S_MAX * random.uniform(0.5, 1)  # noqa: S311 -- no secret
        self._booked = {each: then for each, then in self._booked.items() if then > now}
        late = now - _EXPECTED_S
        self._expected = {each: then for each, then in self._expected.items() if then > late}
        self._expected.setdefault(business, turn)
        sharing = len(self._booked.keys() | {business})
        self._booked[business] = turn + self._apart * sharing
        return turn - now

    def idle(self) -> bool:
        """Return whether all turns are past, so that this pace can be forgotten."""
        return self._clock() >= max(self._next, *self._booked.values(), 0.0) and not self._waiting

    def _give(self, business: int) -> None:
        now = self._clock()
        self._next = max(self._next, now) + self._apart
        self._expected.pop(business, None)
        self._took.pop(business, None)
        self._took[business] = now
        if len(self._took) > _BUSINESSES_MAX:
            del self._took[next(iter(self._took))]

    async def _serve(self) -> None:
        """Give each turn to the business that has waited longest since its last one."""
        try:
            while self._waiting:
                await asyncio.sleep(max(0.0, self._next - self._clock()))
                business = next(iter(self._waiting))
                queue = self._waiting.pop(business)
                turn = queue.popleft()
                if queue:
                    self._waiting[business] = queue
                if not turn.done():
                    turn.set_result(None)
                    self._give(business)
        finally:
            self._serving = None


class Pacing:
    """The rates of one worker in mails per second, which businesses share; None is no limit.

    At most `places` mails wait here for their domain, so that others can pass them; the last place
    is only for a business that has none.
    """

    def __init__(
        self,
        smarthost_rate: float | None,
        domain_rate: float | None,
        places: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._smarthost = Pace(smarthost_rate, "the smarthost", clock) if smarthost_rate else None
        self._domain_rate = domain_rate
        self._domains: dict[str, Pace] = {}
        self._places = Turns(places, places, spare=True)
        self._clock = clock

    async def turn(self, business: int, recipient: str) -> Later | None:
        """Wait until a mail of the business to `recipient` has its turn, and return None.

        If the turn comes too late to wait for it here, return at once how long to defer the mail.
        """
        domain = self._domain(recipient)
        paces = [pace for pace in (domain, self._smarthost) if pace]
        if not paces:
            return None
        slowest = max(paces, key=lambda pace: pace.wait(business))
        if slowest.wait(business) > _WAIT_S_MAX:
            return _later(slowest, business)
        if domain is not None and domain.wait(business) > 0:
            if not self._places.take_now(business):
                return _later(domain, business)
            try:
                await domain.take(business)
            finally:
                self._places.leave(business)
        elif domain is not None:
            await domain.take(business)
        if self._smarthost is not None:
            await self._smarthost.take(business)
        return None

    def _domain(self, recipient: str) -> Pace | None:
        if self._domain_rate is None or not (domain := _domain(recipient)):
            return None
        pace = self._domains.get(domain)
        if pace is None:
            self._forget()
            pace = self._domains[domain] = Pace(self._domain_rate, domain, self._clock)
        return pace

    def _forget(self) -> None:
        if len(self._domains) >= _DOMAINS_MAX:
            self._domains = {n: pace for n, pace in self._domains.items() if not pace.idle()}


def _later(pace: Pace, business: int) -> Later:
    delay = timedelta(seconds=pace.book(business))
    return Later(delay, f"waits for the rate of {pace.name}")


def _domain(recipient: str) -> str | None:
    try:
        return wire_form(recipient)[1].lower()
    except Unsendable:
        return None  # no mail will be made for it
