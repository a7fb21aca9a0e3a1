"""Asks all databases at once which of them has something."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

Place = TypeVar("Place")
Found = TypeVar("Found")

# Questions to slower databases go on after the first answer: to cancel one would cost a connection.
_asking: set[asyncio.Task[object]] = set()


async def first(
    asked: Mapping[Place, Callable[[], Awaitable[Found | None]]],
) -> tuple[Place, Found] | None:
    """Return the first answer that is not None, and which database gave it; None if none has it.

    Raises the error of a database that could not be asked, if no other one has it.
    """
    if len(asked) == 1:
        [(place, ask)] = asked.items()
        answer = await ask()
        return None if answer is None else (place, answer)
    tasks = {asyncio.ensure_future(ask()): place for place, ask in asked.items()}
    for task in tasks:
        _asking.add(task)
        task.add_done_callback(_asked)
    waiting, problem = set(tasks), None
    while waiting:
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            if task.exception() is not None:
                problem = task.exception()
            elif (found := task.result()) is not None:
                return tasks[task], found
    if problem is not None:
        raise problem
    return None


def _asked(task: asyncio.Task[object]) -> None:
    _asking.discard(task)
    if not task.cancelled():
        task.exception()  # was read, so that nothing is logged of it
