"""Whole answers on their way to readers who may not read: bounded in time, and in bytes per key."""

import asyncio

from aiohttp import web
from aiohttp.typedefs import Handler

from services.api.core.refusals import Busy
from services.api.http import problem_json
from services.api.http.appkeys import PRINCIPAL, UNREAD

_PATIENCE = 30.0  # seconds for which a reader may take nothing at all
_SLOWEST = 16 * 1024  # bytes a second that a reader has to take beyond that
_AT_ONCE = 16 * 1024  # bytes that an idle connection takes without waiting for its reader
_GONE = 499  # what the log says of an answer that was not read


@web.middleware
async def write(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Write a whole answer before anything else is done; a streamed one was written already."""
    response = await handler(request)
    if not isinstance(response, web.Response):
        return response
    size = response.content_length or 0
    if size <= _AT_ONCE and _is_idle(request):
        # To arm a timeout costs more than to write what is taken at once.
        await response.prepare(request)
        await response.write_eof()
        return response
    principal = request.get(PRINCIPAL)
    key = None if principal is None else principal.key_id
    try:
        with request.app[UNREAD].held(key, size):
            return await _written(request, response, _PATIENCE + size / _SLOWEST)
    except Busy as busy:
        return await _written(request, problem_json.answer(request, busy), _PATIENCE)


def _is_idle(request: web.Request) -> bool:
    """Return whether the reader has taken all that was written to it before."""
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
        return problem_json.BrokenOff(request, _GONE)
    return response
