"""The protocol under every request: bounds, and a problem as answer to what is not HTTP."""

import asyncio
import os
import socket
from contextlib import suppress
from http import HTTPStatus
from itertools import chain
from typing import Any

import structlog
from aiohttp import web
from aiohttp.http_exceptions import ContentEncodingError, LineTooLong

from services.api.core.problems import blank
from services.api.http import headers, problem_json

_log = structlog.stdlib.get_logger(__name__)

MAX_LINE = 8190  # bytes of the first line, and of each header
MAX_HEADERS = 128
# Seconds without a complete request head after which a connection is closed.
IDLE = 75.0
# Milliseconds after which the kernel ends a connection whose reader takes nothing.
_UNTAKEN = 75_000


class Protocol(web.RequestHandler):
    """Answers a request that is not HTTP with problem+json, and logs it in one line.

    Neither repeats anything of the request, because it may contain a key.
    """

    __slots__ = ()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Bound how long the connection stays if its reader takes nothing (RFC 5482).

        Without this bound a closed connection keeps its memory and its descriptor until the reader
        has taken everything.
        """
        super().connection_made(transport)
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # not on macOS
            transport.get_extra_info("socket").setsockopt(
                socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNTAKEN
            )

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer a request that reached no handler, and close the connection.

        Raises `exc` if the caller has left, for aiohttp to end the connection without a word.
        """
        if isinstance(exc, ConnectionError) and request.transport is None:
            raise exc
        if status != HTTPStatus.BAD_REQUEST or request.writer.output_size > 0:
            return super().handle_error(request, status, exc, message)
        status, detail = HTTPStatus.BAD_REQUEST, "This is not an HTTP/1.1 request."
        if isinstance(exc, LineTooLong):
            status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            detail = f"The first line or a header is longer than {MAX_LINE} bytes."
        elif message == "Too many headers received":
            status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            detail = f"There are more than {MAX_HEADERS} headers."
        elif isinstance(exc, ContentEncodingError):
            status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
            detail = "The body should be encoded with deflate or not at all."
        request_id = headers.new_id()
        _log.info(
            "request_unreadable",
            request_id=request_id,
            status=int(status),
            error=type(exc).__name__,
            remote=request.remote,
        )
        return _answer(HTTPStatus(status), detail, request_id)


class Runner(web.AppRunner):
    """Serves an application with Protocol.

    When it ends, it answers for `farewell` seconds what comes on connections that exist already.
    """

    def __init__(self, app: web.Application, *, farewell: float = 0, **kwargs: Any) -> None:
        """Create it; `kwargs` are those of aiohttp's AppRunner."""
        super().__init__(app, **kwargs)
        self._farewell = farewell

    async def cleanup(self) -> None:
        """Close the listeners, answer the requests in flight, and close everything.

        The kernel completes connections before a program takes them, and would reset those that
        were not taken together with the request that a proxy has already written there.
        """
        try:
            for site in self.sites:
                await self._close(site)
            await asyncio.sleep(self._farewell)
        finally:
            await super().cleanup()

    async def _close(self, site: web.BaseSite) -> None:
        listening: list[int] = []
        with suppress(OSError):  # without a free descriptor nothing could be taken anyway
            sockets = site._server.sockets  # type: ignore[union-attr]  # noqa: SLF001 -- aiohttp shows addresses only
            listening.extend(os.dup(each.fileno()) for each in sockets)
        await site.stop()
        for connection in chain.from_iterable(map(_not_taken_yet, listening)):
            await asyncio.get_running_loop().connect_accepted_socket(self.server, connection)  # type: ignore[arg-type]  # set while sites run

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        return _Server(made.request_handler, request_factory=made.request_factory, **made._kwargs)  # noqa: SLF001 -- aiohttp has no other place to choose the protocol


def _not_taken_yet(listening: int) -> list[socket.socket]:
    """Take what is connected to this descriptor of a listener, and close the listener.

    Returns what was taken until nothing is left, or until no descriptor is free.
    """
    taken: list[socket.socket] = []
    with socket.socket(fileno=listening) as listener, suppress(OSError):
        listener.settimeout(0)
        while True:
            with suppress(ConnectionAbortedError):  # this caller has left, and others may wait
                taken.append(listener.accept()[0])
    return taken


class _Server(web.Server):
    def __call__(self) -> web.RequestHandler:
        limits = {"max_line_size": MAX_LINE, "max_field_size": MAX_LINE, "max_headers": MAX_HEADERS}
        return Protocol(self, loop=self._loop, **self._kwargs | limits)


def _answer(status: HTTPStatus, detail: str, request_id: str) -> web.Response:
    response = problem_json.response_of(blank(status), detail, request_id=request_id)
    headers.add_common(response, request_id)
    response.force_close()
    return response
