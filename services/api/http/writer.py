"""Writes answers within a time limit, and limits the unread bytes of each key."""

import asyncio

from aiohttp import web
from aiohttp.typedefs import Handler

from services.api.core.refusals import Busy
from services.api.http import problem_json
from services.api.http.appkeys import PRINCIPAL, UNREAD

_READER_WAIT_S = 30.0  # seconds for which a reader may read nothing
_SLOWEST = 16 * 1024  # bytes per second that a reader has to read beyond that
_AT_ONCE = 16 * 1024  # bytes that an idle connection buffers without waiting for its reader


@web.middleware
async def write(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Write the answer that the handler returned; a streamed one is written already."""
    response = await handler(request)
    if not isinstance(response, web.Response):
        return response
    size = response.content_length or 0
    if size <= _AT_ONCE and _is_idle(request):
        # Arming a timeout costs more than writing into the buffer.
        await response.prepare(request)
        await response.write_eof()
        return response
    principal = request.get(PRINCIPAL)
    key = None if principal is None else principal.key_id
    try:
        with request.app[UNREAD].held(key, size):
            return await _written(request, response, _READER_WAIT_S + size / _SLOWEST)
    except Busy as busy:
        return await _written(request, problem_json.answer(request, busy), _READER_WAIT_S)


def _is_idle(request: web.Request) -> bool:
    """Return whether the reader has read everything that was written before."""
    transport = request.transport
    return transport is not None and transport.get_write_buffer_size() == 0


async def _written(
    request: web.Request, response: web.Response, seconds: float
) -> web.StreamResponse:
    try:
        async with asyncio.timeout(seconds):
            await response.prepare(request)
            await response.write_eof()
    except TimeoutError:
        return problem_json.BrokenOff(request, problem_json.NO_ANSWER)
    return response
