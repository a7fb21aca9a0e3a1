"""Reads the ageing from Postgres, within a snapshot that the caller has opened."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import asyncpg

from services.api.aging import query
from services.api.aging.listing import Aging
from services.api.formats.report import Value
from services.api.reports.json_array import JsonArray
from services.api.reports.listing.place import Place
from services.api.reports.query import Counting
from services.api.reports.store import copy_rows
from shared.db.postgres import Connection

_Write: TypeAlias = Callable[[bytes], Awaitable[None]]

_BATCH_ROWS = 500  # that are read at once as values


class Summary(NamedTuple):
    """The number of rows, how many of them stand before a place, and their totals."""

    rows: int
    before: int
    totals: Mapping[str, Value]


class _ObjectWithTotals:
    """Writes rows as one JSON object: the rows, the totals, which come last, and the meta."""

    def __init__(self, write: _Write, described: bytes) -> None:
        self._write, self._described = write, described
        self._array = JsonArray(write, b'{"data":')
        self._last: list[bytes] = []

    @property
    def begun(self) -> bool:
        """Whether anything was written."""
        return self._array.begun

    @begun.setter
    def begun(self, value: bool) -> None:
        self._array.begun = value

    async def add(self, rows: list[bytes]) -> None:
        """Write all rows but the last one, which may be the totals."""
        *before, last = (*self._last, *rows)
        if before:
            await self._array.add(before)
        self._last = [last]

    async def end(self) -> None:
        """Write the totals and the meta."""
        await self._array.end()
        await self._write(b',"totals":%b,"meta":%b}' % (self._last[0], self._described))


async def write_json(
    conn: Connection,
    aging: Aging,
    counting: Counting,
    write: _Write,
    *,
    described: bytes,
    timeout: float,
) -> None:
    """Write all rows, their totals and the meta `described` as one JSON object."""
    rows = _ObjectWithTotals(write, described)
    try:
        await copy_rows(conn, query.json_rows(aging, counting), rows, timeout=timeout)
    except asyncpg.NumericValueOutOfRangeError as error:
        if rows.begun:
            raise RuntimeError("an amount was out of bounds after the first row") from error
        raise
    await rows.end()


async def summary(conn: Connection, aging: Aging, place: Place | None) -> Summary:
    """Return the number of rows, of those before a place, and the totals."""
    record: Any = await conn.fetchrow(query.summary(aging, place))
    found = dict(record)
    return Summary(found.pop("rows"), found.pop("before"), found)


async def page(conn: Connection, aging: Aging, numbers: range) -> Sequence[asyncpg.Record]:
    """Return the rows with these numbers, each with the value that orders it as text."""
    rows: list[asyncpg.Record] = await conn.fetch(query.values(aging, numbers))
    return rows


async def batches(conn: Connection, aging: Aging) -> AsyncIterator[Sequence[Sequence[Value]]]:
    """Yield all rows in batches."""
    cursor = await conn.cursor(query.values(aging))
    while batch := await cursor.fetch(_BATCH_ROWS):
        yield [tuple(row)[:-1] for row in batch]
