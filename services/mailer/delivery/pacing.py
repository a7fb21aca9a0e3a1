"""The rates of mails: to the smarthost as a whole, and to each recipient domain.

It is no token bucket of a library, because a mail that has to wait long must not be held here with
its claim: it books a later turn, and comes back for it by way of Postgres.
"""

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from shared.mail.address import Unsendable, wire_form

_WAIT_S_MAX: Final = 1.5  # a mail may wait here, with its claim
_DELAY_S_MAX: Final = 900.0  # a mail may be deferred, so that a new rate counts soon
_DOMAINS_MAX: Final = 1000


@dataclass(frozen=True, slots=True)
class Later:
    """The turn of a mail comes too late to wait for it here."""

    delay: timedelta
    reason: str


class Pace:
    """Turns that lie `1 / rate` seconds apart.

    A mail that is deferred books a turn, so that deferred mails come back one by one and not all at
    once. A booking reserves nothing: the first mail that comes takes the turn.
    """

    def __init__(self, rate: float, name: str) -> None:
        self.name = name
        self._apart = 1 / rate
        self._next = self._booked = 0.0

    def wait(self, now: float) -> float:
        """Return the seconds until the next free turn."""
        return max(0.0, self._next - now)

    def take(self, now: float) -> None:
        """Take the next turn."""
        self._next = max(self._next, now) + self._apart

    def book(self, now: float) -> float:
        """Book the next turn that is neither taken nor booked, and return the seconds until it.

        If that turn is too far off to be booked, return fewer seconds.
        """
        turn = max(self._next, self._booked, now)
        if turn - now > _DELAY_S_MAX:
            return _DELAY_S_MAX * random.uniform(0.5, 1)  # noqa: S311 -- no secret
        self._booked = turn + self._apart
        return turn - now

    def idle(self, now: float) -> bool:
        """Return whether all turns are past, so that this pace can be forgotten."""
        return now >= max(self._next, self._booked)


class Pacing:
    """The rates of one worker in mails per second; None is no limit.

    At most `places` mails wait here for their domain, so that others can pass them.
    """

    def __init__(
        self,
        smarthost_rate: float | None,
        domain_rate: float | None,
        places: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._smarthost = Pace(smarthost_rate, "the smarthost") if smarthost_rate else None
        self._domain_rate = domain_rate
        self._domains: dict[str, Pace] = {}
        self._places = places
        self._clock = clock

    async def turn(self, recipient: str) -> Later | None:
        """Wait until a mail to `recipient` has its turn, and return None.

        If the turn comes too late to wait for it here, return at once how long to defer the mail.
        """
        paces = self._paces(recipient)
        if not paces:
            return None
        now = self._clock()
        slowest = max(paces, key=lambda pace: pace.wait(now))
        wait = slowest.wait(now)
        if wait > _WAIT_S_MAX or (
            wait > 0 and slowest is not self._smarthost and self._places == 0
        ):
            delay = timedelta(seconds=slowest.book(now))
            return Later(delay, f"waits for the rate of {slowest.name}")
        for pace in paces:
            pace.take(now)
        if wait > 0:
            await self._wait(wait, place=slowest is not self._smarthost)
        return None

    async def _wait(self, seconds: float, *, place: bool) -> None:
        self._places -= place
        try:
            await asyncio.sleep(seconds)
        finally:
            self._places += place

    def _paces(self, recipient: str) -> list[Pace]:
        paces = [self._smarthost] if self._smarthost else []
        if self._domain_rate is not None and (domain := _domain(recipient)):
            pace = self._domains.get(domain)
            if pace is None:
                self._forget()
                pace = self._domains[domain] = Pace(self._domain_rate, domain)
            paces.append(pace)
        return paces

    def _forget(self) -> None:
        if len(self._domains) >= _DOMAINS_MAX:
            now = self._clock()
            self._domains = {n: pace for n, pace in self._domains.items() if not pace.idle(now)}


def _domain(recipient: str) -> str | None:
    try:
        return wire_form(recipient)[1].lower()
    except Unsendable:
        return None  # no mail will be made for it
