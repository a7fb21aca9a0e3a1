import asyncio
from collections.abc import Awaitable, Callable

_GRACE = 10.0  # seconds in all that a reader may let us wait, whatever it has taken
_SLOWEST = 16 * 1024  # bytes; for each so many that it has taken, it may take another second


class Paced:
    """Writes an answer as fast as its reader takes it, as long as that is fast enough.

    Only the waits for the reader count, and not how long the pieces take to come.
    """

    def __init__(self, write: Callable[[bytes], Awaitable[None]]) -> None:
        self._write = write
        self._left = _GRACE

    async def write(self, piece: bytes) -> None:
        """Write the piece. Raises TimeoutError if the reader is too slow."""
        begun = asyncio.get_running_loop().time()
        async with asyncio.timeout(self._left):
            await self._write(piece)
        waited = asyncio.get_running_loop().time() - begun
        self._left += len(piece) / _SLOWEST - waited
