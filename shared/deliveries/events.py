"""The outbox of delivery events, from which the relay publishes."""

import asyncpg

from shared import sql
from shared.messages import DeliveryChange, DeliveryEvent
from shared.postgres import Connection

_QUERIES = sql.load("shared.deliveries")


async def unpublished(conn: Connection, limit: int) -> list[DeliveryEvent]:
    """Lock and return the oldest unpublished events, for the transaction that marks them."""
    return [_event(row) for row in await conn.fetch(_QUERIES.unpublished_events, limit)]


async def mark_published(conn: Connection, events: list[DeliveryEvent]) -> None:
    """Note that the broker confirmed these events."""
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
