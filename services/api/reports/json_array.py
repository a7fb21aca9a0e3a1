from collections.abc import Awaitable, Callable


class JsonArray:
    """Writes JSON objects as one array, each on its own line.

    `before` and `after` are what the array stands between, if it is a part of an object.
    """

    def __init__(
        self, write: Callable[[bytes], Awaitable[None]], before: bytes = b"", after: bytes = b""
    ) -> None:
        self._write = write
        self._before, self._after = before, after
        self.begun = False

    async def add(self, rows: list[bytes]) -> None:
        """Write objects; the first ones begin the array."""
        await self._write((b"\n," if self.begun else self._before + b"[") + b"\n,".join(rows))
        self.begun = True

    async def end(self) -> None:
        """Write the end of the array, which may be empty."""
        await self._write((b"\n]" if self.begun else self._before + b"[]") + self._after)
