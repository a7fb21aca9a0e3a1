import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import timedelta

from services.api.access.model import RateLimited

_LIMIT = 60
_WINDOW = 60.0  # seconds
_MOST_ADDRESSES = 10_000  # remembered at once


class Guesses:
    """How many keys that nobody holds each address has tried here, 60 a minute at most.

    They cost a query each; a mistyped one does not, because its checksum is wrong.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._counts: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def check(self, address: str) -> None:
        """Raise RateLimited where the address has tried too many."""
        ends, count = self._counts.get(address, (0.0, 0))
        left = ends - self._clock()
        if count >= _LIMIT and left > 0:
            raise RateLimited(
                "Too many keys that are unknown, revoked or expired came from this address.",
                retry_after=timedelta(seconds=left),
            )

    def count(self, address: str) -> None:
        """Note that the address tried another one in vain."""
        now = self._clock()
        ends, count = self._counts.pop(address, (0.0, 0))
        self._counts[address] = (ends, count + 1) if ends > now else (now + _WINDOW, 1)
        if len(self._counts) > _MOST_ADDRESSES:
            self._counts.popitem(last=False)
