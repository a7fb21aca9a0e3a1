import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import timedelta

from services.api.core.refusals import RateLimited

_LIMIT = 60
_WINDOW = 60.0  # seconds
_MOST_KEYS = 10_000  # remembered at once


class Refused:
    """Counts how often each invalid key was tried, and allows 60 tries per minute.

    A program that goes on using a revoked key then does not cost a query each time. The count is by
    key and not by address, because behind a load balancer all callers share one address.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._counts: OrderedDict[bytes, tuple[float, int]] = OrderedDict()

    def check(self, key: bytes) -> None:
        """Raise RateLimited if the invalid key with this hash was tried too often."""
        ends, count = self._counts.get(key, (0.0, 0))
        left = ends - self._clock()
        if count >= _LIMIT and left > 0:
            raise RateLimited(
                "This key is unknown, revoked or expired, and was tried too often.",
                retry_after=timedelta(seconds=left),
            )

    def count(self, key: bytes) -> None:
        """Count one more try of the invalid key with this hash."""
        now = self._clock()
        ends, count = self._counts.pop(key, (0.0, 0))
        self._counts[key] = (ends, count + 1) if ends > now else (now + _WINDOW, 1)
        if len(self._counts) > _MOST_KEYS:
            self._counts.popitem(last=False)
