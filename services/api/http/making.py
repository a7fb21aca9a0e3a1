"""The making of answers, which takes long: by turns among businesses, while they are wanted."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final, TypeVar

from aiohttp import web

from services.api.http.appkeys import FILES
from services.api.http.problem_json import reader_left
from services.api.http.streams.stream import READING_S_MAX, turn
from shared.turns import Turns

_LOOK_S: Final = 0.5  # between two looks at whether the reader still waits

Made = TypeVar("Made")


async def made_while_wanted(
    request: web.Request,
    make: Callable[[], Awaitable[Made]],
    places: web.AppKey[Turns] = FILES,
) -> Made | None:
    """Return what `make` makes, such as a file, at the business's turn for one of `places`.

    Return None if its reader left meanwhile. Raises Busy if it is not the business's turn within 5
    seconds, and TimeoutError if it takes more than 300 seconds.
    """
    try:
        async with turn(request, places), _while_wanted(request):
            return await make()
    except TimeoutError:
        if reader_left(request):
            return None
        raise


@asynccontextmanager
async def _while_wanted(request: web.Request) -> AsyncIterator[None]:
    """Raise TimeoutError in the `async with` after 300 seconds, or soon after the reader left.

    Nothing is written to the reader until all is made, so no write would fail.
    """
    async with asyncio.timeout(READING_S_MAX) as limit:
        watching = asyncio.create_task(_end_unwanted(request, limit))
        try:
            yield
        finally:
            watching.cancel()


async def _end_unwanted(request: web.Request, limit: asyncio.Timeout) -> None:
    while not reader_left(request):  # noqa: ASYNC110 -- aiohttp has no event for it
        await asyncio.sleep(_LOOK_S)
    limit.reschedule(asyncio.get_running_loop().time())
