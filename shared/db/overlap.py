"""Finds businesses that are in more than one database, such as after a copy of a database."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import asyncpg
import structlog

from shared.db import postgres, sql
from shared.db.postgres import Connection

_QUERIES: Final = sql.load("shared.db")
_EVERY_S: Final = 60.0
_NAMED_MAX: Final = 5  # businesses in one line of the log

_log = structlog.get_logger("ledgerpost.databases")


async def _nothing(_: Connection, __: int) -> None:
    pass


class Overlap:
    """The businesses that are in several of the databases, read again once a minute.

    Both copies have the same mails, and only one of them may send each. So `stop` is called for
    each such business in each of its databases. What was read of a database that is away counts on.
    """

    def __init__(
        self,
        pools: Mapping[str, asyncpg.Pool],
        stop: Callable[[Connection, int], Awaitable[None]] = _nothing,
    ) -> None:
        self._pools = pools
        self._stop = stop
        self._ids: dict[str, frozenset[int]] = {}
        self._comparing = asyncio.Lock()
        #: The names of the databases of each business that is in more than one.
        self.found: dict[int, list[str]] = {}

    async def watch(self) -> None:
        """Read all databases once a minute, until cancelled."""
        while True:
            for name in self._pools:
                try:
                    await self.read(name)
                except postgres.UNAVAILABLE:
                    continue  # its other users say so
            await asyncio.sleep(_EVERY_S)

    async def compared(self, name: str) -> None:
        """Return once a database was compared with the others. Raises one of UNAVAILABLE."""
        async with self._comparing:
            if name not in self._ids:
                await self.read(name)

    async def read(self, name: str) -> None:
        """Read the businesses of a database, compare them with the others', and stop those of both.

        Raises one of UNAVAILABLE if the database is away.
        """
        async with self._pools[name].acquire(timeout=5) as conn:
            rows = await conn.fetch(_QUERIES.businesses)
        ids = frozenset(row["id"] for row in rows)
        for other, others in self._ids.items():
            if other != name and (both := ids & others):
                await self._refuse(both, (name, other))
        self._ids[name] = ids
        self._compare()

    def _compare(self) -> None:
        found: dict[int, list[str]] = {}
        names = list(self._ids)
        for place, name in enumerate(names):
            for other in names[place + 1 :]:
                for business in self._ids[name] & self._ids[other]:
                    found.setdefault(business, [name]).append(other)
        self.found = found

    async def _refuse(self, businesses: frozenset[int], names: tuple[str, str]) -> None:
        _log.error(
            "businesses_in_two_databases",
            databases=names,
            businesses=sorted(businesses)[:_NAMED_MAX],
            count=len(businesses),
            hint="their mails are paused and their requests refused",
        )
        for name in names:
            try:
                async with self._pools[name].acquire(timeout=5) as conn:
                    for business in businesses:
                        await self._stop(conn, business)
            except postgres.UNAVAILABLE:
                continue  # it sends nothing meanwhile, and is compared again when it is back
