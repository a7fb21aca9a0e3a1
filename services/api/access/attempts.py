import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import timedelta

from services.api.core.refusals import RateLimited

_ATTEMPTS_MAX = 60
_WINDOW = 60.0  # seconds
_MOST_NAMES = 10_000  # remembered at once


class Attempts:
    """The attempts with each key, or other name, in this process: at most 60 per minute.

    Of a key only those that failed count: a program that goes on with a revoked key should not cost
    a query each time. Of a statement all count, by `take`: nobody should try balances until one
    fits, nor have the same statement read without end. Attempts are counted by name and not by
    address, because all callers behind a load balancer share one address.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        *,
        said: str = "This key is unknown, revoked or expired, and was tried too often.",
    ) -> None:
        """Refuse further attempts with the words in `said`."""
        self._clock = clock
        self._said = said
        self._counts: OrderedDict[bytes, tuple[float, int]] = OrderedDict()

    def check(self, name: bytes) -> None:
        """Raise RateLimited if there were too many attempts with this name: a hash."""
        ends, count = self._counts.get(name, (0.0, 0))
        left = ends - self._clock()
        if count >= _ATTEMPTS_MAX and left > 0:
            raise RateLimited(self._said, retry_after=timedelta(seconds=left))

    def take(self, name: bytes) -> None:
        """Count an attempt with this name, which begins now.

        Attempts at the same time are counted before any of them ends. Raises RateLimited if there
        were too many.
        """
        self.check(name)
        self.count(name)

    def count(self, name: bytes) -> None:
        """Count an attempt with this name."""
        now = self._clock()
        ends, count = self._counts.pop(name, (0.0, 0))
        self._counts[name] = (ends, count + 1) if ends > now else (now + _WINDOW, 1)
        if len(self._counts) > _MOST_NAMES:
            self._counts.popitem(last=False)
