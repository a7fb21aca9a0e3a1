"""Reads reports from a streaming replica, and never older data than the caller has seen.

The token in the header Ledger-Version is a place in the log of Postgres. An answer's token is read
after its snapshot was taken, so that everything that the answer shows is before it.
"""

import asyncio
import re
import time
from contextlib import suppress
from typing import Any, Final

import asyncpg
from aiohttp import web
from aiohttp.typedefs import Handler

from services.api.core.refusals import Invalid
from services.api.http.appkeys import (
    BUSINESS,
    DATABASE,
    LEDGER_VERSION,
    PRINCIPAL,
    ROUTE,
)
from services.api.http.databases import OpenDatabase
from shared.db import postgres, sql
from shared.process.trouble import Trouble

HEADER: Final = "Ledger-Version"
_FORM: Final = re.compile(r"[0-9A-F]{1,8}/[0-9A-F]{1,8}", re.ASCII)
_CATCH_UP_S: Final = 0.020  # that a request waits for the replica
_LOOK_AGAIN_S: Final = 0.002
_ANSWER_S: Final = 1.0  # in which the replica has to answer whether it has replayed enough
_PAUSE_S: Final = 1.0  # after a failure, in which the replica is not asked

_QUERIES: Final = sql.load("services.api.http", "replica.sql")
# After these the same request can be read from the primary.
_FAULTS: Final = (*postgres.UNAVAILABLE, *postgres.CONFLICTS)


class _ClocksInUse(Exception):
    """Other requests use all clocks of the replica, which is no fault of the replica."""


class Replica:
    """The replica of a database, and whether it may be read at the moment."""

    def __init__(
        self,
        primary: OpenDatabase,
        replica: OpenDatabase,
        primary_clock: asyncpg.Pool,
        replica_clock: asyncpg.Pool,
    ) -> None:
        """Create it; the two clocks are pools of their own, so that no report waits for another."""
        self.primary = primary
        self.replica = replica
        self._primary_clock = primary_clock
        self._clock = replica_clock
        # acquire() of the pool also waits for the replica to open a connection. Only that wait is
        # a fault of the replica, so a clock that is in use is waited for here.
        self._free_clocks = asyncio.Semaphore(replica_clock.get_max_size())
        self._trouble = Trouble("replica_away")
        self._asked_from = 0.0

    async def version(self, business_id: int, seen: str | None) -> str | None:
        """Return the version of a ledger on the replica; None if the primary has to be read.

        Waits up to 20 ms until the replica has replayed what the caller has `seen`.
        """
        if time.monotonic() < self._asked_from:
            return None
        try:
            if seen is not None and not await self._has_replayed(seen):
                return None
            version: str = await self._ask(_QUERIES.version, business_id)
        except _ClocksInUse:
            return None
        except _FAULTS as error:
            self.failed(error)
            return None
        self._trouble.over()
        return version

    def failed(self, error: Exception) -> None:
        """Leave the replica alone for a second; the first failure of an outage is logged."""
        self._asked_from = time.monotonic() + _PAUSE_S
        self._trouble.met(error)

    async def token(self, request: web.Request) -> str:
        """Return the token of an answer whose snapshot was taken before."""
        found: str
        if request.get(DATABASE) is self.replica:
            found = await self._ask(_QUERIES.replayed)
        else:
            async with asyncio.timeout(_ANSWER_S), self._primary_clock.acquire() as conn:
                found = await conn.fetchval(_QUERIES.written)
        return found

    async def _has_replayed(self, seen: str) -> bool:
        """Look for up to 20 ms; between two looks the clock is free for others."""
        until = time.monotonic() + _CATCH_UP_S
        while not await self._ask(_QUERIES.has_replayed, seen):
            if time.monotonic() >= until:
                return False
            await asyncio.sleep(_LOOK_AGAIN_S)
        return True

    async def _ask(self, query: str, *arguments: object) -> Any:
        """Return what the replica answers. Raises _ClocksInUse if no clock is free in time."""
        try:
            async with asyncio.timeout(_ANSWER_S):
                await self._free_clocks.acquire()
        except TimeoutError:
            raise _ClocksInUse from None
        try:
            async with asyncio.timeout(_ANSWER_S), self._clock.acquire() as conn:
                return await conn.fetchval(query, *arguments)
        finally:
            self._free_clocks.release()


# None if reports are read from the primary alone.
REPLICA = web.AppKey[Replica | None]("REPLICA")


@web.middleware
async def read(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let a report be read from the replica, if there is one that has what the caller has seen.

    If the replica fails before the answer has begun, the primary is read. Raises Invalid if the
    caller's token has not the form of one, also without a replica.
    """
    replica, route = request.app[REPLICA], request[ROUTE]
    if route is None or not route.is_conditional:
        return await handler(request)
    seen = _seen(request)
    if replica is None:
        return await handler(request)
    version = await replica.version(request[PRINCIPAL].business_id, seen)
    if version is None:
        return await handler(request)
    request[DATABASE], request[LEDGER_VERSION] = replica.replica, version
    try:
        return await handler(request)
    except _FAULTS as error:
        if request.writer.output_size > 0:
            raise
        replica.failed(error)
    request[DATABASE] = replica.primary
    del request[LEDGER_VERSION]
    if BUSINESS in request:
        del request[BUSINESS]
    return await handler(request)


async def finish(request: web.Request, response: web.StreamResponse) -> None:
    """Add the token to the answer of a report, just before its first byte is sent."""
    replica = request.app[REPLICA]
    if replica is None:
        return
    route = request.get(ROUTE)
    if route is None or not route.is_conditional or PRINCIPAL not in request:
        return
    # Without it the caller knows of no newer data than before.
    with suppress(*_FAULTS, _ClocksInUse):
        response.headers[HEADER] = await replica.token(request)


def _seen(request: web.Request) -> str | None:
    """Return the token that the caller sent. Raises Invalid if it has not the form of one."""
    given = request.headers.get(HEADER)
    if given is not None and not _FORM.fullmatch(given):
        raise Invalid(HEADER, "should be the Ledger-Version of an earlier answer")
    return given
