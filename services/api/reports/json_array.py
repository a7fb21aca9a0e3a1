from collections.abc import Awaitable, Callable


class JsonArray:
    """Writes JSON objects as one array, each on its own line."""

    def __init__(self, write: Callable[[bytes], Awaitable[None]]) -> None:
        self._write = write
        self.begun = False

    async def add(self, objects: list[bytes]) -> None:
        """Write objects; the first ones begin the array."""
        await self._write((b"\n," if self.begun else b"[") + b"\n,".join(objects))
        self.begun = True

    async def end(self) -> None:
        """Write the end of the array, which may be empty."""
        await self._write(b"\n]" if self.begun else b"[]")
