"""Places for sessions: as many as are allowed, and fewer if the smarthost takes no more."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from types import TracebackType

_ONE_MORE = 60.0  # seconds after which one place more is tried


class Places:
    """At most `most` at once, for `async with`; the number that the smarthost takes is learned.

    Halved when it takes no further session, never below those that it has, and one more is
    tried after a minute.
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
                    self._wake()  # it was given a place that it does not take
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

    def refused(self, begun: float, held: int) -> bool:
        """Learn that no further session was taken, tried at `begun` beside `held` open ones.

        Return False if nothing can be learned, as nobody else has a session or is opening one.
        """
        if held == 0 and self._taken <= 1:
            return False
        if begun >= self._reduced:
            self.limit = max(1, min(self.limit - 1, max(self.limit // 2, held)))
            self._reduced = self._clock()
        return True

    def _grow(self) -> None:
        if self.limit < self._most and self._clock() - self._reduced > _ONE_MORE:
            self.limit += 1
            self._reduced = self._clock()

    def _wake(self) -> None:
        free = self.limit - self._taken
        while self._waiting and free > 0:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                free -= 1
