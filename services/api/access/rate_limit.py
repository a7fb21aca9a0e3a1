"""The rate limit of a key, of which each process leases slices from Postgres."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from services.api.core.refusals import RateLimited

WINDOW = timedelta(minutes=1)
_MOST_KEYS = 10_000  # remembered at once; the slice of a forgotten key is lost for its window
_SAME = 1.0  # seconds by which the ends of one window may differ in two leases


class Slice(NamedTuple):
    """A part of a key's requests per window, which a process leased.

    `taken` requests of the window are leased by all processes together; the window `lasts` so long.
    """

    requests: int
    taken: int
    lasts: timedelta


class Rate(NamedTuple):
    """The rate of a key after a request: the requests and the seconds left in its window."""

    limit: int
    remaining: int
    reset: float
    is_allowed: bool = True

    def check(self) -> None:
        """Raise RateLimited if the request exceeds the limit."""
        if not self.is_allowed:
            raise RateLimited(
                f"Rate limit of {self.limit} requests per minute exceeded.",
                retry_after=timedelta(seconds=self.reset),
            )


@dataclass(slots=True)
class _Window:
    ends: float
    leased: int  # requests that are not used yet
    unleased: int  # requests that no process had leased at the time of the last lease


class Limits:
    """The requests per minute that each key has left of its `limit`, as known to this process."""

    def __init__(self, limit: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.limit = limit
        self._clock = clock
        self._windows: OrderedDict[bytes, _Window] = OrderedDict()
        self._leasing: dict[bytes, asyncio.Future[bool]] = {}

    @asynccontextmanager
    async def turn(self, key: bytes) -> AsyncIterator[Rate | None]:
        """Yield the key's rate, or None if this caller must lease the next slice.

        Concurrent callers wait for that lease: if each leased a slice, this process would hold all
        that is left, and other processes would refuse requests that nobody has made. If the lease
        yields no slice, they do not wait for one another.
        """
        rate = self.take(key)
        while rate is None and (leasing := self._leasing.get(key)) is not None:
            if not await asyncio.shield(leasing):
                break
            rate = self.take(key)
        if rate is not None or key in self._leasing:
            yield rate
            return
        leasing = self._leasing[key] = asyncio.get_running_loop().create_future()
        try:
            yield None
        finally:
            del self._leasing[key]
            if not leasing.done():
                leasing.set_result(False)

    def knows(self, key: bytes) -> bool:
        """Return whether the last look-up found the key with this hash valid."""
        return key in self._windows

    def forget(self, key: bytes) -> None:
        """Forget the key with this hash, which a look-up found invalid."""
        self._windows.pop(key, None)

    def take(self, key: bytes) -> Rate | None:
        """Count a request of the key with this hash; None if a slice has to be leased first."""
        window, now = self._windows.get(key), self._clock()
        if window is None or window.ends <= now:
            return None
        if window.leased == 0 and window.unleased > 0:
            return None
        return self._count(window, now)

    def add(self, key: bytes, leased: Slice) -> Rate:
        """Add a slice that was leased just now, and count a request."""
        now = self._clock()
        ends = now + leased.lasts.total_seconds()
        window = self._windows.get(key)
        if window is None or abs(window.ends - ends) > _SAME:
            window = self._windows[key] = _Window(ends, 0, 0)
            if len(self._windows) > _MOST_KEYS:
                self._windows.popitem(last=False)
        self._windows.move_to_end(key)
        window.leased += leased.requests
        window.unleased = max(0, self.limit - leased.taken)
        if (leasing := self._leasing.get(key)) is not None and not leasing.done():
            leasing.set_result(True)
        return self._count(window, now)

    def _count(self, window: _Window, now: float) -> Rate:
        is_allowed = window.leased > 0
        window.leased -= is_allowed
        remaining = window.leased + window.unleased
        return Rate(self.limit, remaining, window.ends - now, is_allowed)
