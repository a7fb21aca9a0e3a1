"""An answer that is written in pieces, by turns among businesses."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from aiohttp import hdrs, web

from services.api.core.refusals import Busy
from services.api.http.appkeys import CODING, PRINCIPAL, STREAMS
from services.api.http.streams.buffer import Buffer
from services.api.http.streams.gzip import Gzip
from services.api.http.streams.pace import Pace
from shared.turns import Turns

READING_S_MAX = 300.0  # seconds in which a reader has to read everything

_TURN_WAIT_S = 5.0  # seconds to wait until one of the running streams ends


class Stream:
    """Writes an answer in pieces, as its headers promise with gzip or plain.

    It begins with the first piece that is large enough: until then, a failure can still be answered
    with a problem. A reader that is too slow is cut off, because it holds a snapshot.
    """

    def __init__(self, request: web.Request, response: web.StreamResponse) -> None:
        self._request, self._response = request, response
        self._pace = Pace(response.write)
        is_coded = hdrs.CONTENT_ENCODING in response.headers
        self._pieces = Gzip(self._send) if is_coded else Buffer(self._send)
        self.write = self._pieces.write

    async def end(self) -> None:
        """Write the rest of the answer, and end it."""
        await self._pieces.end()
        await self._response.write_eof()

    async def _send(self, piece: bytes) -> None:
        if not self._response.prepared:
            await self._response.prepare(self._request)
        await self._pace.write(piece)


def gzip_if_preferred(request: web.Request, response: web.StreamResponse) -> None:
    """Promise gzip in the headers of an answer of text, if the caller prefers it."""
    if request[CODING].gzip:
        response.headers[hdrs.CONTENT_ENCODING] = "gzip"


@asynccontextmanager
async def turn(request: web.Request, places: web.AppKey[Turns] = STREAMS) -> AsyncIterator[None]:
    """Wait for the business's turn to stream an answer, and hold it within the `async with`.

    To be entered before the connection that is read from. Raises Busy if that takes 5 seconds.

    There are fewer streams than connections, and fewer for one business than in all: slow readers
    delay neither the lists of other businesses nor single rows.
    """
    turns, business = request.app[places], request[PRINCIPAL].business_id
    try:
        async with asyncio.timeout(_TURN_WAIT_S):
            await turns.take(business)
    except TimeoutError:
        raise Busy(
            "Too many reports are being read at the moment.", retry_after=timedelta(seconds=5)
        ) from None
    try:
        yield
    finally:
        turns.leave(business)
