"""How many wake-ups lie in the broker's queue: few, because it serves whoever came first."""

import time
from collections.abc import Callable
from typing import Final

from shared.deliveries.relay import Enqueued

#: Seconds between two looks at what the mailers have taken, while due rows wait for room.
REFILL: Final = 0.1
#: Rows that it holds at least and at most.
LEAST, MOST = 20, 1_000


class Room:
    """As many rows as the mailers take in a few refills, so that a newcomer waits behind few.

    It doubles if the mailers took more than half of what may be used of it between two looks, and
    halves if they took less than a quarter. While more rows wait than it holds, what stayed empty
    is not used: the parts of businesses whose statements are being frozen.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.rows = LEAST
        self._clock = clock
        self._looked_at = clock()
        self._left = self._taken = 0
        self._used = 1.0

    def saw(self, batch: Enqueued) -> None:
        """Note what an attempt to fill the queue found in it and left there."""
        self._taken += max(0, self._left - batch.before)
        self._left = batch.before + len(batch.queued)
        if self._clock() - self._looked_at < REFILL:
            return
        used = self.rows * self._used
        self._used = min(1.0, self._left / self.rows) if batch.is_full else 1.0
        if self._taken * 2 > used:
            self.rows = min(self.rows * 2, MOST)
        elif self._taken * 4 < used:
            self.rows = max(self.rows // 2, LEAST)
        self._looked_at, self._taken = self._clock(), 0
