"""The connections of the pool as requests use them: one for each look-up, or one for a request.

Businesses share the connections of the pool by turns.
"""

import asyncio
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from types import TracebackType

from aiohttp import web
from aiohttp.typedefs import Handler
from asyncpg.pool import PoolConnectionProxy

from services.api.core.refusals import Busy
from services.api.http.appkeys import BORROWER, DATABASE, DATABASES, ROUTE
from services.api.http.databases import OpenDatabase
from shared.db.postgres import Connection
from shared.turns import Turns

_POOL_WAIT_S = 5.0  # seconds in which a connection has to become free
_STRANGER = 0  # the borrower of requests without a key


def database_of(request: web.Request) -> OpenDatabase:
    """Return the database of the request.

    Raises ValueError if there are several, and the request has none yet.
    """
    if DATABASE not in request:
        [only] = request.app[DATABASES].values()
        request[DATABASE] = only
    return request[DATABASE]


def away(request: web.Request, error: Exception) -> None:
    """Record that a database is away. Which one is known by now, or was recorded when asked."""
    if DATABASE in request or len(request.app[DATABASES]) == 1:
        database_of(request).trouble.met(error)


def connection(
    request: web.Request, database: OpenDatabase | None = None
) -> AbstractAsyncContextManager[Connection]:
    """Return a context manager for a pooled connection with `database`, or the request's own one.

    Raises Busy if the request's business has too many in use for 5 s, and TimeoutError if Postgres
    opens none within 5 s.
    """
    shared = request.get(_SHARED)
    return _Pooled(request, database) if shared is None or database is not None else shared


@web.middleware
async def share(request: web.Request, handler: Handler) -> web.StreamResponse:
    """On routes that declare `share_connection`, authentication and handler share a connection."""
    route = request[ROUTE]
    # A request whose body is still on its way would hold the connection meanwhile.
    if route is None or not route.share_connection or not request.content.is_eof():
        return await handler(request)
    request[_SHARED] = shared = _Shared(request)
    try:
        return await handler(request)
    finally:
        await shared.release()


class _Pooled(AbstractAsyncContextManager[Connection]):
    """A connection of the pool for one use, which counts against its business's share."""

    def __init__(self, request: web.Request, database: OpenDatabase | None = None) -> None:
        self._database = database
        self._request, self._borrower = request, _STRANGER
        self._connection: PoolConnectionProxy | None = None

    async def __aenter__(self) -> Connection:
        # Read here and not in __init__: a shared connection is made before the business is known.
        self._borrower = self._request.get(BORROWER, _STRANGER)
        self._database = database = self._database or database_of(self._request)
        if not database.turns.take_now(self._borrower):
            await self._wait(database.turns)
        try:
            # Arming a timeout costs more than taking an idle connection, so it is only armed if
            # none is idle.
            patience = None if database.pool.get_idle_size() else _POOL_WAIT_S
            self._connection = await database.pool.acquire(timeout=patience)
        except BaseException:
            database.turns.leave(self._borrower)
            raise
        return self._connection

    async def __aexit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        await self.release()

    async def release(self) -> None:
        used, self._connection = self._connection, None
        if used is not None and self._database is not None:
            try:
                await self._database.pool.release(used)
            finally:
                self._database.turns.leave(self._borrower)

    async def _wait(self, turns: Turns) -> None:
        try:
            async with asyncio.timeout(_POOL_WAIT_S):
                await turns.take(self._borrower)
        except TimeoutError:
            raise Busy(
                "Too many requests are being handled at the moment.",
                retry_after=timedelta(seconds=1),
            ) from None


class _Shared(_Pooled):
    """A connection that its first `async with` takes and `release` gives back."""

    async def __aenter__(self) -> Connection:
        return self._connection or await super().__aenter__()

    async def __aexit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        pass


_SHARED = web.RequestKey("SHARED", _Shared)
