"""The progress of an import: a bar on a terminal, otherwise a line every few seconds."""

import asyncio
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from types import TracebackType
from typing import Self, TextIO

from tqdm import tqdm

_WITHOUT_END = "{desc}: {elapsed}"


class Progress:
    """Shows the current step on `stream`, within its `async with`."""

    def __init__(
        self, sizes: Mapping[str, int], stream: TextIO | None = None, *, every: float = 10
    ) -> None:
        self._sizes = sizes
        self._stream = stream or sys.stderr
        self._every = 1 if self._stream.isatty() else every
        self._step = ""
        self._begun = time.monotonic()

    async def __aenter__(self) -> Self:
        # `disable=None` shows the bar on a terminal only.
        self._bar = tqdm(
            unit="B", unit_scale=True, disable=None, leave=False, file=self._stream, desc="import"
        )
        self._ticking = asyncio.create_task(self._tick())
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._ticking.cancel()
        with suppress(asyncio.CancelledError):
            await self._ticking
        self._bar.close()

    def show(self, step: str, read: int) -> None:
        """Set the current step and, while a file is read, the number of bytes read."""
        if step != self._step:
            self._step, self._begun = step, time.monotonic()
            size = self._sizes.get(step.removeprefix("reading "))
            self._bar.reset(size)
            # The progress of an SQL statement is unknown, so its elapsed time is shown.
            self._bar.bar_format = None if size else _WITHOUT_END
            self._bar.set_description_str(step)
        self._bar.update(read - self._bar.n)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(self._every)
            if not self._bar.disable:
                self._bar.refresh()
            elif self._step:
                taken = time.monotonic() - self._begun
                print(f"{self._step}: {taken:.0f} s", file=self._stream, flush=True)
