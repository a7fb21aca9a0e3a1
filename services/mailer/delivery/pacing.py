"""How fast mail goes out: to the smarthost as a whole, and to each recipient domain."""

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from shared.mail.address import Unsendable, wire_form

_PATIENCE = 1.5  # seconds that a mail may wait here, with its claim
_LONGEST = 900.0  # seconds that one may be put off for, so that a new rate counts soon
_MOST_DOMAINS = 1000


@dataclass(frozen=True, slots=True)
class Later:
    """A mail's turn is too far off to wait for it here."""

    delay: timedelta
    reason: str


class Pace:
    """Turns that lie `1 / rate` seconds apart.

    Mails that are put off book the turns behind them, so that they come back one by one and not
    all at once; a booking keeps no turn, and whoever comes first has it.
    """

    def __init__(self, rate: float, name: str) -> None:
        self.name = name
        self._apart = 1 / rate
        self._next = self._booked = 0.0

    def wait(self, now: float) -> float:
        """Return the seconds until the next turn that nobody took."""
        return max(0.0, self._next - now)

    def take(self, now: float) -> None:
        """Take the next turn."""
        self._next = max(self._next, now) + self._apart

    def book(self, now: float) -> float:
        """Return the seconds until the next turn that nobody took or booked, and book it.

        Where it is too far off to be booked, they are fewer.
        """
        turn = max(self._next, self._booked, now)
        if turn - now > _LONGEST:
            return _LONGEST * random.uniform(0.5, 1)  # noqa: S311 -- no secret
        self._booked = turn + self._apart
        return turn - now

    def idle(self, now: float) -> bool:
        """Say whether all turns are past, so that forgetting them changes nothing."""
        return now >= max(self._next, self._booked)


class Pacing:
    """The rates of one worker in mails per second; None is as fast as it goes.

    At most `places` mails wait here for their domain, so that the others pass them.
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
        """Return None when a mail to `recipient` has its turn, or how much later it is to come."""
        paces = self._paces(recipient)
        if not paces:
            return None
        now = self._clock()
        slowest = max(paces, key=lambda pace: pace.wait(now))
        wait = slowest.wait(now)
        if wait > _PATIENCE or (wait > 0 and slowest is not self._smarthost and self._places == 0):
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
        if len(self._domains) >= _MOST_DOMAINS:
            now = self._clock()
            self._domains = {n: pace for n, pace in self._domains.items() if not pace.idle(now)}


def _domain(recipient: str) -> str | None:
    try:
        return wire_form(recipient)[1].lower()
    except Unsendable:
        return None  # no mail will be made for it
