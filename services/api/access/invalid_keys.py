import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import timedelta

from services.api.core.refusals import RateLimited

_ATTEMPTS_MAX = 60
_WINDOW = 60.0  # seconds
_MOST_KEYS = 10_000  # remembered at once


class InvalidKeys:
    """The attempts with each invalid key in this process, at most 60 per minute.

    A program that goes on with a revoked key should not cost a query each time. They are counted
    by key and not by address, because all callers behind a load balancer share one address.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._counts: OrderedDict[bytes, tuple[float, int]] = OrderedDict()

    def check(self, key: bytes) -> None:
        """Raise RateLimited if the key with this hash was tried too often."""
        ends, count = self._counts.get(key, (0.0, 0))
        left = ends - self._clock()
        if count >= _ATTEMPTS_MAX and left > 0:
            raise RateLimited(
                "This key is unknown, revoked or expired, and was tried too often.",
                retry_after=timedelta(seconds=left),
            )

    def count(self, key: bytes) -> None:
        """Count an attempt with the key with this hash."""
        now = self._clock()
        ends, count = self._counts.pop(key, (0.0, 0))
        self._counts[key] = (ends, count + 1) if ends > now else (now + _WINDOW, 1)
        if len(self._counts) > _MOST_KEYS:
            self._counts.popitem(last=False)
