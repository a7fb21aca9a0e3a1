"""The outbox of delivery events, from which the relay publishes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import asyncpg

from shared.db import sql
from shared.db.postgres import Connection
from shared.messages import DeliveryChange, DeliveryEvent

_QUERIES = sql.load("shared.deliveries", "events.sql")


@asynccontextmanager
async def turn(conn: Connection, lease: timedelta) -> AsyncIterator[bool]:
    """Yield whether there are events and this relay may publish them, until the block ends.

    Another relay's turn may also begin when the lease expires: a relay that hung for so long
    publishes some events again.
    """
    taken: int | None = await conn.fetchval(_QUERIES.take_outbox, lease)
    try:
        yield taken is not None
    finally:
        if taken is not None:
            await conn.execute(_QUERIES.leave_outbox, taken)


async def unpublished(conn: Connection, limit: int) -> list[DeliveryEvent]:
    """Return the oldest unpublished events."""
    return [_event(row) for row in await conn.fetch(_QUERIES.unpublished_events, limit)]


async def mark_published(conn: Connection, events: list[DeliveryEvent]) -> None:
    """Record that the broker confirmed these events."""
    await conn.execute(_QUERIES.events_published, [event.data.sequence for event in events])


def _event(row: asyncpg.Record) -> DeliveryEvent:
    fields = dict(row)
    sequence, occurred_at = fields.pop("id"), fields.pop("occurred_at")
    traceparent = fields.pop("traceparent")
    return DeliveryEvent(
        id=f"{fields['delivery_id']}.{sequence}",
        type=f"com.ledgerpost.delivery.{fields['state']}.v1",
        subject=str(fields["send_id"]),
        time=occurred_at,
        traceparent=traceparent,
        data=DeliveryChange(sequence=sequence, **fields),
    )
