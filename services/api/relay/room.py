"""Limits the wake-ups in the broker's queue, because it serves them in order of arrival."""

import math
import time
from collections.abc import Callable
from typing import Final

from shared.deliveries.relay import Enqueued

#: Seconds between two checks of the queue while due rows wait for room.
REFILL: Final = 0.1
#: The smallest and the largest number of rows in the queue.
LEAST, MOST = 20, 1_000
# Half as much again as the mailers took between the last two checks, so that they find enough if
# the next check is a little late.
_MARGIN: Final = 1.5
_SHRINKS_TO: Final = 0.75


class Room:
    """The number of rows that the mailers take until the next check: new mails wait briefly.

    The number doubles if the mailers took all rows while others waited; otherwise it follows what
    they took, downwards slowly. It may be small, because each mailer has mails ahead, and those
    share its work by turns. While more rows wait than fit, the room that stays empty counts as
    unusable: it belongs to businesses whose statements are being frozen.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.rows = LEAST
        self._clock = clock
        self._looked_at = clock()
        self._left = self._taken = 0
        self._used = 1.0
        self._more = self._ran_dry = False

    def saw(self, enqueued: Enqueued) -> None:
        """Adapt to the number of rows before and after an attempt to fill the queue."""
        self._taken += max(0, self._left - enqueued.before)
        self._ran_dry |= self._more and enqueued.before == 0
        self._left, self._more = enqueued.before + len(enqueued.queued), enqueued.is_full
        if self._clock() - self._looked_at < REFILL:
            return
        if self._ran_dry:
            rows = self.rows * 2
        else:
            wanted = math.ceil(self._taken * _MARGIN / self._used)
            rows = max(wanted, int(self.rows * _SHRINKS_TO))
        self._used = (min(1.0, self._left / self.rows) or 1.0) if enqueued.is_full else 1.0
        self.rows = max(min(rows, MOST), LEAST)
        self._looked_at, self._taken, self._ran_dry = self._clock(), 0, False
