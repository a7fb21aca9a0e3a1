from collections.abc import Awaitable, Callable

# Postgres sends 8 KiB at a time; writing that much costs about as much as writing all of this.
_SIZE_BYTES = 64 * 1024


class Buffer:
    """Collects small pieces of an answer and writes them as large ones."""

    def __init__(self, write: Callable[[bytes], Awaitable[None]]) -> None:
        self._write = write
        self._pieces: list[bytes] = []
        self._size = 0

    async def write(self, piece: bytes) -> None:
        """Add a piece. Writes the buffer once it holds 64 KiB or more."""
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size >= _SIZE_BYTES:
            await self.end()

    async def end(self) -> None:
        """Write what the buffer holds."""
        held = b"".join(self._pieces)
        self._pieces.clear()
        self._size = 0
        await self._write(held)
