"""The rate limit of keys: all processes share it by leasing slices from Postgres."""

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
_MOST_KEYS = 10_000  # remembered at once; the unused lease of a forgotten key is lost
_SAME = 1.0  # seconds by which the ends of the same window may differ between two leases


class Lease(NamedTuple):
    """A slice of a key's requests, the number `taken` in all, and the rest of the window."""

    slice: int
    taken: int
    lasts: timedelta


class Rate(NamedTuple):
    """The rate of a key after a request: `remaining` of `limit` for `reset` seconds."""

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
    leased: int  # requests that are leased and not used here yet
    unleased: int  # requests that no process had leased at the last lease


class Limits:
    """The requests that each key has left of `limit` per minute, as far as this process knows."""

    def __init__(self, limit: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.limit = limit
        self._clock = clock
        self._windows: OrderedDict[bytes, _Window] = OrderedDict()
        self._leasing: dict[bytes, asyncio.Future[bool]] = {}

    @asynccontextmanager
    async def turn(self, key: bytes) -> AsyncIterator[Rate | None]:
        """Yield the request's rate, or None if this caller must lease the next slice.

        Concurrent callers wait for that lease: together they would lease all that is left, and
        other processes would refuse requests that no caller has made. If the lease fails, they do
        not wait for one another.
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
        """Return whether the key with this hash was valid a short time ago."""
        return key in self._windows

    def take(self, key: bytes) -> Rate | None:
        """Count a request of the key with this hash, or return None if a lease is needed first."""
        window, now = self._windows.get(key), self._clock()
        if window is None or window.ends <= now:
            return None
        if window.leased == 0 and window.unleased > 0:
            return None
        return self._count(window, now)

    def lease(self, key: bytes, lease: Lease) -> Rate:
        """Add a slice that was just leased, and count a request."""
        now = self._clock()
        ends = now + lease.lasts.total_seconds()
        window = self._windows.get(key)
        if window is None or abs(window.ends - ends) > _SAME:
            window = self._windows[key] = _Window(ends, 0, 0)
            if len(self._windows) > _MOST_KEYS:
                self._windows.popitem(last=False)
        self._windows.move_to_end(key)
        window.leased += lease.slice
        window.unleased = max(0, self.limit - lease.taken)
        if (leasing := self._leasing.get(key)) is not None and not leasing.done():
            leasing.set_result(True)
        return self._count(window, now)

    def _count(self, window: _Window, now: float) -> Rate:
        is_allowed = window.leased > 0
        window.leased -= is_allowed
        remaining = window.leased + window.unleased
        return Rate(self.limit, remaining, window.ends - now, is_allowed)
