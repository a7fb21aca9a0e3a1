from collections.abc import Awaitable, Callable


class Lines:
    """Writes rows as lines that all end in the same way, after the head of the file."""

    def __init__(
        self, write: Callable[[bytes], Awaitable[None]], ending: bytes, head: bytes = b""
    ) -> None:
        self._write = write
        self._ending, self._head = ending, head
        self.begun = False

    async def add(self, rows: list[bytes]) -> None:
        """Write rows; the head stands before the first ones."""
        lines = self._ending.join((*rows, b""))
        await self._write(lines if self.begun else self._head + lines)
        self.begun = True

    async def end(self) -> None:
        """Write the head, if there was no row."""
        if not self.begun:
            await self._write(self._head)
