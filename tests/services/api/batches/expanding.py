"""Ledgers and batches for the tests of what becomes of a batch."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from services.api.batches.expand import expand, take
from services.api.core.uuid7 import uuid7
from services.api.sends.terms import Terms

TERMS = Terms(max_recipients=25, max_lateness=timedelta(hours=72), daily_quota=5_000)
FIRST, LAST = date(2024, 11, 1), date(2024, 11, 30)

_BUSINESSES = """
INSERT INTO businesses (id, owner_id, name, email, currency, timezone) VALUES
    (1, 1, 'Kente & Co', 'owner@kente.example.com', 'GHS', 'Africa/Accra'),
    (2, 2, 'Other Business', NULL, 'USD', 'America/New_York')
"""
_CUSTOMERS = """
INSERT INTO customers (business_id, id, owner_id, business_name, business_email, opening_balance)
SELECT $1, n, 1, 'Customer ' || n, 'c' || n || '@customers.example.com', 10
FROM unnest($2::bigint[]) n
"""


@asynccontextmanager
async def connected(database: str) -> AsyncIterator[asyncpg.Connection]:
    conn = await asyncpg.connect(database, server_settings={"timezone": "UTC"})
    try:
        yield conn
    finally:
        await conn.close()


async def begin(conn: asyncpg.Connection, *customers: int, business: int = 1) -> None:
    """Write both businesses, if they are not there, and customers who owe 10."""
    await conn.execute(f"{_BUSINESSES} ON CONFLICT DO NOTHING")
    await conn.execute(_CUSTOMERS, business, customers)


async def accept(
    conn: asyncpg.Connection,
    customers: Sequence[int],
    *,
    business: int = 1,
    after: timedelta = timedelta(0),
    frozen: dict[int, list[str]] | None = None,
    **fields: Any,
) -> UUID:
    """Store a batch that is due after this time, as the request for it would."""
    batch = uuid7()
    given = {
        "id": batch,
        "business_id": business,
        "phase": "scheduled" if after > timedelta(0) else "expanding",
        "date_from": FIRST,
        "date_to": LAST,
        "customers": len(customers),
        "frozen_list": None if frozen is None else uuid7(),
        **fields,
    }
    places = ", ".join(f"${place}" for place in range(2, len(given) + 2))
    await conn.execute(
        f"INSERT INTO batches ({', '.join(given)}, send_at, expires_at, created_at, updated_at)"
        f" VALUES ({places}, now() + $1::interval, now() + $1::interval + interval '72 h', now(),"
        " now())",
        after,
        *given.values(),
    )
    await conn.executemany(
        "INSERT INTO batch_customers (batch_id, customer_id, recipients) VALUES ($1, $2, $3)",
        [(batch, each, frozen and frozen.get(each)) for each in customers],
    )
    return batch


async def step(conn: asyncpg.Connection, after_business: int = -1, terms: Terms = TERMS) -> UUID:
    """Take one step of the batch whose turn it is."""
    async with conn.transaction():
        batch = await take(conn, after_business)
        assert batch is not None
        await expand(conn, batch, terms)
        return batch.id


async def mails(conn: asyncpg.Connection, batch: UUID) -> list[tuple[int, str]]:
    """Every mail of a batch: the customer and the address."""
    rows = await conn.fetch(
        "SELECT customer_id, email FROM sends s JOIN deliveries d ON d.send_id = s.id"
        " WHERE s.batch_id = $1 ORDER BY customer_id, position",
        batch,
    )
    return [tuple(row) for row in rows]


async def skipped(conn: asyncpg.Connection, batch: UUID) -> dict[int, str]:
    """The reason code of each customer that a batch skips."""
    rows = await conn.fetch(
        "SELECT customer_id, reason_code FROM batch_customers"
        " WHERE batch_id = $1 AND reason_code IS NOT NULL",
        batch,
    )
    return dict(map(tuple, rows))


async def phase(conn: asyncpg.Connection, batch: UUID) -> str:
    return str(await conn.fetchval("SELECT phase FROM batches WHERE id = $1", batch))
