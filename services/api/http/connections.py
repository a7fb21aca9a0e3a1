"""Lends pooled connections to requests: one for each query, or one for the whole request.

Businesses take turns.
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

_PATIENCE = 5.0  # seconds to wait for a free connection
_STRANGER = 0  # stands for all callers without a key


def connection(request: web.Request) -> AbstractAsyncContextManager[Connection]:
    """Return a context manager for a pooled connection.

    Raises Busy or TimeoutError if none becomes free within 5 s.
    """
    kept = request.get(_KEPT)
    return _Lent(request) if kept is None else kept


@web.middleware
async def keep(request: web.Request, handler: Handler) -> web.StreamResponse:
    """On routes in KEEPING, let authentication and handler share one connection."""
    # A request whose body has not arrived yet would block the connection for others.
    if request.match_info.handler not in request.app[KEEPING] or not request.content.is_eof():
        return await handler(request)
    request[_KEPT] = kept = _Kept(request)
    try:
        return await handler(request)
    finally:
        await kept.release()


class _Lent(AbstractAsyncContextManager[Connection]):
    """A connection for one use, lent in turn to the request's business."""

    def __init__(self, request: web.Request) -> None:
        app = request.app
        self._pool, self._turns = app[POOL], app[CONNECTIONS]
        self._request, self._borrower = request, _STRANGER
        self._connection: PoolConnectionProxy | None = None

    async def __aenter__(self) -> Connection:
        # Not in __init__: a kept connection is made before the business is known.
        self._borrower = self._request.get(BORROWER, _STRANGER)
        if not self._turns.take_now(self._borrower):
            await self._wait()
        try:
            # Arming a timeout costs more than taking an idle connection, so it is only armed when
            # none is idle.
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
    """A connection that stays lent from its first use until release()."""

    async def __aenter__(self) -> Connection:
        return self._connection or await super().__aenter__()

    async def __aexit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        pass


_KEPT = web.RequestKey("KEPT", _Kept)
