import asyncio
from collections.abc import Awaitable, Callable

_GRACE_S = 10.0  # a reader may delay the answer this long in all
_SLOWEST_BYTES = 16 * 1024  # for each of these that it reads, a reader gains another second


class Pace:
    """Writes an answer as fast as its reader takes it, and ends if the reader is too slow.

    Only the time spent waiting for the reader counts, not the time between the pieces.
    """

    def __init__(self, write: Callable[[bytes], Awaitable[None]]) -> None:
        self._write = write
        self._left_s = _GRACE_S

    async def write(self, piece: bytes) -> None:
        """Write the piece. Raises TimeoutError if the reader is too slow."""
        begun = asyncio.get_running_loop().time()
        async with asyncio.timeout(self._left_s):
            await self._write(piece)
        waited = asyncio.get_running_loop().time() - begun
        self._left_s += len(piece) / _SLOWEST_BYTES - waited
