"""Publishes delivery events to the topic exchange."""

from datetime import timedelta

import asyncpg

from shared.amqp import topology
from shared.amqp.publisher import Outgoing, Publisher
from shared.deliveries import events
from shared.messages import DeliveryEvent

_BATCH = 500


class Outbox:
    """Publishes each event at least once; subscribers deduplicate by its id.

    Relays take turns, so that the events of one delivery are published in order. A relay that
    hangs during its turn delays the others by at most `patience`.
    """

    def __init__(
        self, pool: asyncpg.Pool, publisher: Publisher, *, poll: timedelta, patience: timedelta
    ) -> None:
        self._pool = pool
        self._publisher = publisher
        self._poll = poll
        self._patience = patience

    async def step(self) -> timedelta:
        """Publish one batch, and return the time until the next step."""
        await self._publisher.ready()
        async with self._pool.acquire() as conn, events.turn(conn, self._patience) as ours:
            if not ours:
                return self._poll
            batch = await events.unpublished(conn, _BATCH)
            confirmed = await self._publisher.publish([_outgoing(event) for event in batch])
            done = [event for event, ok in zip(batch, confirmed, strict=True) if ok]
            await events.mark_published(conn, done)
        return timedelta(0) if len(done) == _BATCH else self._poll


def _outgoing(event: DeliveryEvent) -> Outgoing:
    return Outgoing(
        event.id,
        topology.EVENTS,
        f"delivery.{event.data.state}.{event.data.business_id}",
        event.model_dump_json().encode(),
        event.traceparent,
        mandatory=False,
    )
