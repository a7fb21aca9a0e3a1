from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

from aiohttp import hdrs, web

from services.api.http.connections import connection
from services.api.http.streams.stream import Stream, gzip_if_preferred, turn
from shared.db.postgres import Connection

Write: TypeAlias = Callable[[bytes], Awaitable[None]]


async def streamed(
    request: web.Request,
    media: str,
    headers: Mapping[str, str],
    read: Callable[[Connection, Write], Awaitable[None]],
) -> web.StreamResponse:
    """Answer with the text that `read` writes; HEAD reads nothing."""
    response = web.StreamResponse(headers=headers)
    response.content_type, response.charset = media, "utf-8"
    gzip_if_preferred(request, response)
    if request.method == hdrs.METH_HEAD:
        await response.prepare(request)
        return response
    stream = Stream(request, response)
    async with turn(request), connection(request) as conn:
        await read(conn, stream.write)
    await stream.end()
    return response
