"""The limit of sessions at once: as many as are allowed, fewer if the smarthost takes no more."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from shared.turns import Turns

_ONE_MORE_S: Final = 60.0


class SessionLimit:
    """At most `most` sessions, by turns among businesses; learns how many the smarthost takes.

    The limit is halved when the smarthost takes no further session, but not below the number that
    it has. After a minute it grows by one.
    """

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.limit = self._most = most
        self._clock = clock
        self._turns = Turns(most, most)
        self._taken = 0
        self._reduced = 0.0

    @asynccontextmanager
    async def turn(self, business: int) -> AsyncIterator[None]:
        """Wait until the business may have a session, which is open within the `async with`."""
        self._grow()
        async with self._turns.turn(business):
            self._taken += 1
            try:
                yield
            finally:
                self._taken -= 1
                self._grow()

    def refused(self, begun: float, open_sessions: int) -> bool:
        """Lower the limit: a session was refused that was begun at `begun` beside the open ones.

        Returns False if that teaches nothing, because nobody else has a session or opens one.
        """
        if open_sessions == 0 and self._taken <= 1:
            return False
        if begun >= self._reduced:
            self._set(max(1, min(self.limit - 1, max(self.limit // 2, open_sessions))))
        return True

    def _grow(self) -> None:
        if self.limit < self._most and self._clock() - self._reduced > _ONE_MORE_S:
            self._set(self.limit + 1)

    def _set(self, limit: int) -> None:
        self._turns.resize(limit - self.limit)
        self.limit = limit
        self._reduced = self._clock()
