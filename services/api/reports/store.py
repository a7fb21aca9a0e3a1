import re
from collections.abc import Awaitable, Callable
from datetime import date
from functools import cache
from struct import Struct

import asyncpg

from services.api.reports.json_array import JsonArray
from services.api.reports.model import ReportQuery
from shared.db import sql
from shared.db.postgres import Connection

_queries = sql.load("services.api.reports")
_ARGUMENT = re.compile(r"\$([1-5])\b")

# COPY's binary format: what comes before the first row, before each value and after the last row.
_SIGNATURE = b"PGCOPY\n\xff\r\n\0"
_HEADER_BYTES = 19  # the signature and two numbers
_FRAME = Struct("!hi")  # the number of columns, and the length of the first
_TRAILER_BYTES = 2


def all_customers(*, exact: bool = True) -> str:
    """Return the report's query for the customers with ids from $4 to $5.

    Unless it is to be `exact` at any size, it is faster, and ends in NumericValueOutOfRangeError
    before its first row where amounts are beyond 150,000,000,000.
    """
    units, total = ("numeric", "sum") if exact else ("bigint", "sum_units")
    return _queries.income_by_customers.replace("{units}", units).replace("{sum}", total)


@cache
def one_customer() -> str:
    """Return the report's query for the one customer $4.

    Postgres keeps its plan, the same for every customer, but plans anew for each range of them.
    """
    return all_customers().replace("BETWEEN $4 AND $5", "= $4")


async def version(conn: Connection, business_id: int) -> str:
    """Return what differs after every change to the ledger that may alter a report."""
    text: str = await conn.fetchval(_queries.version, business_id)
    return text


async def income_by_customer(conn: Connection, query: ReportQuery) -> str | None:
    """Return the customer's row as a JSON object, or None where the business has no such one."""
    row: str | None = await conn.fetchval(one_customer(), *_arguments(query)[:4])
    return row


async def income_by_customers(
    conn: Connection,
    query: ReportQuery,
    write: Callable[[bytes], Awaitable[None]],
    *,
    timeout: float,
) -> None:
    """Write the rows of the customers asked for as one JSON array, in pieces, from one snapshot.

    The rows come by COPY, which neither gathers them nor makes a Python object of any: memory
    stays the same for any number of them. TimeoutError where query and `write` together take
    longer than `timeout` seconds; whatever `write` raises ends the query.
    """
    rows = JsonArray(write)
    # Amounts out of bounds are rare; if there is one, nothing was written yet.
    for exact in (False, True):
        try:
            await _copy(conn, query, rows, exact=exact, timeout=timeout)
            break
        except asyncpg.NumericValueOutOfRangeError:
            if exact or rows.begun:
                raise
    await rows.end()


async def _copy(
    conn: Connection, query: ReportQuery, rows: JsonArray, *, exact: bool, timeout: float
) -> None:
    # Numbers and dates need no quoting, and to have it done would cost two round trips.
    business, start, end, first, last = _arguments(query)
    values = (business, f"DATE '{start}'", f"DATE '{end}'", first, last)
    text = _ARGUMENT.sub(lambda found: str(values[int(found[1]) - 1]), all_customers(exact=exact))

    async def unpack(data: bytes) -> None:
        if values := _values(data):
            await rows.add(values)

    # Binary: Postgres looks at every character of text for what to quote.
    await conn.copy_from_query(text, output=unpack, timeout=timeout, format="binary")


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


def _arguments(query: ReportQuery) -> tuple[int, date, date, int, int]:
    return (query.business_id, query.period.start, query.period.end, *query.ids)
