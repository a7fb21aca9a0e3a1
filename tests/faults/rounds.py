"""Runs cases in parallel, except those that break a server."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, Self, TypeVar

from tests.faults.cases import Case

Result = TypeVar("Result")


class Round(Generic[Result]):
    """Runs each case once, for `async with`: `width` at a time, in order.

    Those that break a server come last, one after the other.
    """

    def __init__(
        self, cases: Sequence[Case], play: Callable[[Case], Awaitable[Result]], width: int
    ) -> None:
        self.cases = sorted(cases, key=lambda case: case.breaks is not None)
        self.played: dict[str, asyncio.Task[Result]] = {}
        self._play = play
        self._width = width

    async def __aenter__(self) -> Self:
        places = asyncio.Semaphore(self._width)
        before: list[asyncio.Task[Result]] = []
        for case in self.cases:
            playing = self._after(list(before), case) if case.breaks else self._at(places, case)
            self.played[case.name] = asyncio.create_task(playing)
            before.append(self.played[case.name])
        return self

    async def __aexit__(self, *exc: object) -> None:
        for task in self.played.values():
            task.cancel()
        await asyncio.gather(*self.played.values(), return_exceptions=True)

    async def _at(self, places: asyncio.Semaphore, case: Case) -> Result:
        async with places:
            return await self._play(case)

    async def _after(self, before: list[asyncio.Task[Result]], case: Case) -> Result:
        if before:
            await asyncio.wait(before)
        return await self._play(case)
