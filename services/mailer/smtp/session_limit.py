"""The limit of sessions at once: as many as are allowed, fewer if the smarthost takes no more."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Final

_ONE_MORE_S: Final = 60.0


class SessionLimit:
    """At most `most` sessions, each within an `async with`; learns how many the smarthost takes.

    The limit is halved when the smarthost takes no further session, but not below the number that
    it has. After a minute it grows by one.
    """

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.limit = self._most = most
        self._clock = clock
        self._taken = 0
        self._reduced = 0.0
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def __aenter__(self) -> None:
        self._grow()
        while self._taken >= self.limit:
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            try:
                await turn
            except BaseException:
                if turn.done() and not turn.cancelled():
                    self._wake()  # pass the place on that was given to this one
                raise
        self._taken += 1

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._taken -= 1
        self._grow()
        self._wake()

    def refused(self, begun: float, open_sessions: int) -> bool:
        """Lower the limit: a session was refused that was begun at `begun` beside the open ones.

        Returns False if that teaches nothing, because nobody else has a session or opens one.
        """
        if open_sessions == 0 and self._taken <= 1:
            return False
        if begun >= self._reduced:
            self.limit = max(1, min(self.limit - 1, max(self.limit // 2, open_sessions)))
            self._reduced = self._clock()
        return True

    def _grow(self) -> None:
        if self.limit < self._most and self._clock() - self._reduced > _ONE_MORE_S:
            self.limit += 1
            self._reduced = self._clock()

    def _wake(self) -> None:
        free = self.limit - self._taken
        while self._waiting and free > 0:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                free -= 1
