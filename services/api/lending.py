"""Connections of the pool as requests use them: one for each look-up, or one for all of them."""

from contextlib import AbstractAsyncContextManager
from types import TracebackType

import asyncpg
from aiohttp import web
from aiohttp.typedefs import Handler
from asyncpg.pool import PoolConnectionProxy

from services.api.appkeys import KEEPING, POOL
from shared.postgres import Connection

_PATIENCE = 5.0  # seconds in which a busy pool has to find a connection


def connection(request: web.Request) -> AbstractAsyncContextManager[Connection]:
    """Lend a connection for an `async with`; all stay in use: TimeoutError."""
    kept = request.get(_KEPT)
    return _lent(request.app[POOL]) if kept is None else kept


@web.middleware
async def keep(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Lend a request of a route that says so the same connection for its key and its handler."""
    if request.match_info.handler not in request.app[KEEPING]:
        return await handler(request)
    request[_KEPT] = kept = _Kept(request.app[POOL])
    try:
        return await handler(request)
    finally:
        await kept.release()


class _Kept(AbstractAsyncContextManager[Connection]):
    """A connection from its first use on, until it is released."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._connection: PoolConnectionProxy | None = None

    async def __aenter__(self) -> Connection:
        if self._connection is None:
            self._connection = await _lent(self._pool)
        return self._connection

    async def __aexit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        pass

    async def release(self) -> None:
        if self._connection is not None:
            await self._pool.release(self._connection)


def _lent(pool: asyncpg.Pool) -> "asyncpg.pool.PoolAcquireContext[asyncpg.Record]":
    # To be ready to lose patience costs more than to take what is there.
    return pool.acquire(timeout=None if pool.get_idle_size() else _PATIENCE)


_KEPT = web.RequestKey("KEPT", _Kept)
