"""Connections of the pool as requests use them: one for each look-up, or one for all of them.

Businesses share them by turns.
"""

import asyncio
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from types import TracebackType

from aiohttp import web
from aiohttp.typedefs import Handler
from asyncpg.pool import PoolConnectionProxy

from services.api.core.refusals import Busy
from services.api.http.appkeys import BORROWER, CONNECTIONS, KEEPING, POOL
from shared.db.postgres import Connection

_PATIENCE = 5.0  # seconds in which a connection has to become free
_STRANGER = 0  # whoever shows no key


def connection(request: web.Request) -> AbstractAsyncContextManager[Connection]:
    """Lend a connection for an `async with`. Raises Busy or TimeoutError if none becomes free."""
    kept = request.get(_KEPT)
    return _Lent(request) if kept is None else kept


@web.middleware
async def keep(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Lend a request of a route that says so the same connection for its key and its handler."""
    # A request whose body is still on its way would keep the connection from others.
    if request.match_info.handler not in request.app[KEEPING] or not request.content.is_eof():
        return await handler(request)
    request[_KEPT] = kept = _Kept(request)
    try:
        return await handler(request)
    finally:
        await kept.release()


class _Lent(AbstractAsyncContextManager[Connection]):
    """A connection for one use, by a turn of the request's business."""

    def __init__(self, request: web.Request) -> None:
        app = request.app
        self._pool, self._turns = app[POOL], app[CONNECTIONS]
        self._request, self._borrower = request, _STRANGER
        self._connection: PoolConnectionProxy | None = None

    async def __aenter__(self) -> Connection:
        # Not before: who asks is known only after a request was given its connection to keep.
        self._borrower = self._request.get(BORROWER, _STRANGER)
        if not self._turns.take_now(self._borrower):
            await self._wait()
        try:
            # To be ready to lose patience costs more than to take what is there.
            patience = None if self._pool.get_idle_size() else _PATIENCE
            self._connection = await self._pool.acquire(timeout=patience)
        except BaseException:
            self._turns.leave(self._borrower)
            raise
        return self._connection

    async def __aexit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        await self.release()

    async def release(self) -> None:
        lent, self._connection = self._connection, None
        if lent is not None:
            try:
                await self._pool.release(lent)
            finally:
                self._turns.leave(self._borrower)

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._turns.take(self._borrower)
        except TimeoutError:
            raise Busy(
                "Too many requests are being handled at the moment.",
                retry_after=timedelta(seconds=1),
            ) from None


class _Kept(_Lent):
    """A connection from its first use on, until it is released."""

    async def __aenter__(self) -> Connection:
        return self._connection or await super().__aenter__()

    async def __aexit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        pass


_KEPT = web.RequestKey("KEPT", _Kept)
