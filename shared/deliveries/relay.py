"""The relay's transitions: queues due rows, and reclaims rows from vanished workers."""

from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from shared.db import sql
from shared.db.postgres import Connection
from shared.deliveries.reasons import ReasonCode
from shared.period import Period
from shared.statements.model import Kind

_QUERIES = sql.load("shared.deliveries", "relay.sql")

# The NOTIFY channel that wakes the relays when a row becomes due.
DUE_CHANNEL = "ledgerpost_due"

# The number of claims without an outcome after which a delivery fails.
MAX_CLAIMS = 6


class Unfrozen(NamedTuple):
    """A due send whose statement has to be frozen first.

    Its statement has the kind and the language that the business and the customer have at that time
    if the send asked for none.
    """

    send_id: UUID
    business_id: int
    customer_id: int
    period: Period
    kind: Kind | None = None
    locale: str | None = None


class Enqueued(NamedTuple):
    """The result of queueing: the `queued` ids to publish, and the number of rows that moved.

    `before` is the number of rows in the queue before; `is_full` if a business has used its share.
    """

    before: int
    queued: list[UUID]
    moved: int
    is_full: bool


class Origin(NamedTuple):
    """Whose mail it is, and the `traceparent` of the request for it, if it had one."""

    business_id: int
    traceparent: str | None


async def unfrozen(conn: Connection, limit: int) -> list[Unfrozen]:
    """Return the sends without a statement that are due the longest."""
    rows = await conn.fetch(_QUERIES.unfrozen, limit)
    return [
        Unfrozen(send, business, customer, Period(start, end), kind, locale)
        for send, business, customer, start, end, kind, locale in rows
    ]


async def abandon(conn: Connection, send_id: UUID, reason: str, code: ReasonCode) -> None:
    """Fail the waiting rows of a send for which no statement can be made."""
    await conn.execute(_QUERIES.abandon, send_id, reason, code)


async def put_off(conn: Connection, send_id: UUID, delay: timedelta, reason: str) -> None:
    """Defer the due rows of a send whose statement cannot be made at the moment."""
    await conn.execute(_QUERIES.put_off, send_id, delay, reason)


async def enqueue(conn: Connection, room: int, patience: timedelta) -> Enqueued:
    """Change due rows to `queued`. They must be published *after* this has committed.

    The queue should hold `room` rows, an equal share for each business with due rows.
    """
    [row] = await conn.fetch(_QUERIES.enqueue, room, patience)
    return Enqueued(*row)


async def origins(conn: Connection, ids: list[UUID]) -> dict[UUID, Origin]:
    """Return the origin of each of these rows that exists."""
    return {id_: Origin(*origin) for id_, *origin in await conn.fetch(_QUERIES.origins, ids)}


async def confirm(conn: Connection, ids: list[UUID]) -> None:
    """Record that the broker confirmed the messages of these rows."""
    await conn.execute(_QUERIES.confirm, ids)


async def retry_soon(conn: Connection, ids: list[UUID]) -> None:
    """Let the next sweep publish these rows again: the broker did not confirm them."""
    await conn.execute(_QUERIES.retry_soon, ids)


async def next_due(conn: Connection) -> timedelta | None:
    """Return the time until the next row is due by the database's clock, or None if none waits."""
    wait: timedelta | None = await conn.fetchval(_QUERIES.next_due)
    return wait


async def reemit(
    conn: Connection, limit: int, patience: timedelta, *, queue_is_empty: bool
) -> list[UUID]:
    """Return queued rows to publish again: unconfirmed ones, and stale ones of an empty queue."""
    rows = await conn.fetch(_QUERIES.reemit, limit, patience, queue_is_empty)
    return [row["id"] for row in rows]


async def sweep(conn: Connection, limit: int) -> int:
    """Reclaim rows whose lease expired, and expire overdue ones.

    Returns the largest of the three batch sizes: a full batch means sweep again. A row that was
    lost before the gate is due again, or failed if it was claimed too often; after the gate it is
    in doubt. A row that waited in the queue for too long expires.
    """
    expired = await conn.fetch(_QUERIES.expire, limit)
    lost = await conn.fetch(_QUERIES.reclaim, limit, MAX_CLAIMS)
    doubted = await conn.fetch(_QUERIES.doubt, limit)
    return max(len(expired), len(lost), len(doubted))


async def resend_in_doubt(conn: Connection, limit: int, after: timedelta) -> int:
    """Make rows that have been in doubt for `after` due again (IN_DOUBT_POLICY=resend)."""
    return len(await conn.fetch(_QUERIES.resend_in_doubt, limit, after))
