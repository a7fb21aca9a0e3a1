from collections.abc import Awaitable, Callable

# Bytes. Postgres sends 8 KiB at a time; to write them costs about as much as to write all of this.
_ENOUGH = 64 * 1024


class Gathered:
    """Writes an answer in pieces of some size, whatever the size of those in which it comes."""

    def __init__(self, write: Callable[[bytes], Awaitable[None]]) -> None:
        self._write = write
        self._pieces: list[bytes] = []
        self._size = 0

    async def write(self, piece: bytes) -> None:
        """Write all that has come, where it is enough."""
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size >= _ENOUGH:
            await self.end()

    async def end(self) -> None:
        """Write the rest."""
        gathered = b"".join(self._pieces)
        self._pieces.clear()
        self._size = 0
        await self._write(gathered)
