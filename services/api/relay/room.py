"""Limits the wake-ups in the broker's queue, because it serves them in order of arrival."""

import time
from collections.abc import Callable
from typing import Final

from shared.deliveries.relay import Enqueued

#: Seconds between two checks of the queue while due rows wait for room.
REFILL: Final = 0.1
#: The smallest and the largest number of rows in the queue.
LEAST, MOST = 20, 1_000


class Room:
    """The number of rows that the mailers take in a few refills, so that new mails wait behind few.

    The number doubles if the mailers took more than half of the usable room between two checks, and
    halves if they took less than a quarter. While more rows wait than fit, the room that stays
    empty counts as unusable: it belongs to businesses whose statements are being frozen.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.rows = LEAST
        self._clock = clock
        self._looked_at = clock()
        self._left = self._taken = 0
        self._used = 1.0

    def saw(self, batch: Enqueued) -> None:
        """Adapt to the number of rows before and after an attempt to fill the queue."""
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
