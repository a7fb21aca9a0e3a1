"""The relay's transitions: from due to the queue, and back from whoever lost a row."""

from datetime import date, timedelta
from typing import NamedTuple
from uuid import UUID

from shared.db import sql
from shared.db.postgres import Connection

_QUERIES = sql.load("shared.deliveries", "relay.sql")

# The channel that wakes the relays when something has become due.
DUE_CHANNEL = "ledgerpost_due"

# After so many claims without an outcome a delivery is taken for poison.
MAX_CLAIMS = 6


class Unfrozen(NamedTuple):
    """A due send whose statement has to be frozen first."""

    send_id: UUID
    business_id: int
    customer_id: int
    date_from: date
    date_to: date


class Enqueued(NamedTuple):
    """What leaving the waiting room came to: `queued` ids to publish, and how many rows moved.

    `before` is how many rows were in the queue; it `is_full` if a business has its part of it.
    """

    before: int
    queued: list[UUID]
    moved: int
    is_full: bool


async def unfrozen(conn: Connection, limit: int) -> list[Unfrozen]:
    """Return the longest due sends that have no statement yet."""
    return [Unfrozen(*row) for row in await conn.fetch(_QUERIES.unfrozen, limit)]


async def abandon(conn: Connection, send_id: UUID, reason: str) -> None:
    """End the waiting rows of a send for which no statement can be made."""
    await conn.execute(_QUERIES.abandon, send_id, reason)


async def put_off(conn: Connection, send_id: UUID, delay: timedelta, reason: str) -> None:
    """Let the due rows of a send wait whose statement cannot be made at the moment."""
    await conn.execute(_QUERIES.put_off, send_id, delay, reason)


async def enqueue(conn: Connection, room: int, patience: timedelta) -> Enqueued:
    """Commit due rows to the queue; to be published *after* this has committed.

    The queue should hold `room` rows, an equal part for each business that has any due.
    """
    [row] = await conn.fetch(_QUERIES.enqueue, room, patience)
    return Enqueued(*row)


async def traces(conn: Connection, ids: list[UUID]) -> dict[UUID, str]:
    """Return the `traceparent` of the request behind each of these rows that has one."""
    return {row["id"]: row["traceparent"] for row in await conn.fetch(_QUERIES.traces, ids)}


async def confirm(conn: Connection, ids: list[UUID]) -> None:
    """Note that the broker confirmed the messages of these rows."""
    await conn.execute(_QUERIES.confirm, ids)


async def retry_soon(conn: Connection, ids: list[UUID]) -> None:
    """Let the next sweep publish these rows again: the broker did not confirm them."""
    await conn.execute(_QUERIES.retry_soon, ids)


async def next_due(conn: Connection) -> timedelta | None:
    """Return the time until the next row is due by the database's clock, None when none waits."""
    wait: timedelta | None = await conn.fetchval(_QUERIES.next_due)
    return wait


async def reemit(
    conn: Connection, limit: int, patience: timedelta, *, queue_is_empty: bool
) -> list[UUID]:
    """Return queued rows to publish again: unconfirmed ones, and stale ones of an empty queue."""
    rows = await conn.fetch(_QUERIES.reemit, limit, patience, queue_is_empty)
    return [row["id"] for row in rows]


async def sweep(conn: Connection, limit: int) -> int:
    """Take rows back from holders that vanished; return the most of one kind.

    Before the gate they are due again, or failed where they were poison; after it, in doubt.
    What waited in the queue for too long expires.
    """
    expired = await conn.fetch(_QUERIES.expire, limit)
    lost = await conn.fetch(_QUERIES.reclaim, limit, MAX_CLAIMS)
    doubted = await conn.fetch(_QUERIES.doubt, limit)
    return max(len(expired), len(lost), len(doubted))


async def resend_in_doubt(conn: Connection, limit: int, after: timedelta) -> int:
    """Make rows that have been in doubt for `after` due again; the operator's choice."""
    return len(await conn.fetch(_QUERIES.resend_in_doubt, limit, after))
