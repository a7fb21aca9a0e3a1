from collections.abc import Awaitable, Callable
from functools import partial
from struct import Struct
from typing import Protocol

import asyncpg

from services.api.reports.json_array import JsonArray
from services.api.reports.model import ReportQuery
from services.api.reports.query import (
    BOUNDED,
    EXACT,
    Counting,
    all_customers,
    literals,
    one_customer,
)
from shared.db import sql
from shared.db.postgres import Connection

_queries = sql.load("services.api.reports")

# COPY's binary format: what comes before the first row, before each value and after the last row.
_SIGNATURE = b"PGCOPY\n\xff\r\n\0"
_HEADER_BYTES = 19  # the signature and two numbers
_FRAME = Struct("!hi")  # the number of columns, and the length of the first
_TRAILER_BYTES = 2


class Rows(Protocol):
    """Writes rows in pieces; they have `begun` once the first is written."""

    begun: bool

    async def add(self, rows: list[bytes]) -> None:
        """Write some rows."""

    async def end(self) -> None:
        """Write what follows the last row."""


async def version(conn: Connection, business_id: int) -> str:
    """Return a text that changes with every change to the ledger that may alter a report."""
    text: str = await conn.fetchval(_queries.version, business_id)
    return text


async def income_by_customer(conn: Connection, query: ReportQuery, customer_id: int) -> str | None:
    """Return the customer's row as a JSON object, or None if the business has no such customer."""
    period = query.period
    row: str | None = await conn.fetchval(
        one_customer(), query.business_id, period.start, period.end, customer_id
    )
    return row


async def income_by_customers(
    conn: Connection,
    query: ReportQuery,
    write: Callable[[bytes], Awaitable[None]],
    *,
    timeout: float,
) -> None:
    """Write the rows of all customers as one JSON array, in pieces, from one snapshot.

    Raises TimeoutError if query and `write` together take longer than `timeout` seconds. An error
    of `write` ends the query.
    """
    text, rows = partial(all_customers, literals(query)), JsonArray(write)
    await counted_rows(conn, text, rows, timeout=timeout)


async def counted_rows(
    conn: Connection, query: Callable[[Counting], str], rows: Rows, *, timeout: float
) -> None:
    """Write the rows of a query to their end.

    Amounts out of bounds are rare; if there is one, nothing was written yet, and the rows are
    counted once more.
    """
    for counting in (BOUNDED, EXACT):
        try:
            await copy_rows(conn, query(counting), rows, timeout=timeout)
            break
        except asyncpg.NumericValueOutOfRangeError:
            if counting is EXACT or rows.begun:
                raise
    await rows.end()


async def copy_rows(conn: Connection, query: str, rows: Rows, *, timeout: float) -> None:
    """Write the rows of a query that has one column of text.

    They come by COPY, which neither gathers them nor makes a Python object of any: memory stays
    the same for any number of them.
    """

    async def unpack(data: bytes) -> None:
        if values := _values(data):
            await rows.add(values)

    # Binary: Postgres looks at every character of text for what to quote.
    await conn.copy_from_query(query, output=unpack, timeout=timeout, format="binary")


def _values(data: bytes) -> list[bytes]:
    """Return the values in a piece of COPY's binary format, from rows of one column each.

    Postgres sends a row at a time, and asyncpg passes on nothing but whole ones.
    """
    place = _HEADER_BYTES if data.startswith(_SIGNATURE) else 0
    values = []
    while len(data) - place > _TRAILER_BYTES:
        start = place + _FRAME.size
        place = start + _FRAME.unpack_from(data, place)[1]
        values.append(data[start:place])
    return values
