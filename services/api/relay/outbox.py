"""Publishes events of deliveries, batches and schedules to the topic exchange."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TypeVar

import asyncpg

from services.api.relay import business_events
from services.api.relay.business_events import BusinessEvent
from shared.amqp import topology
from shared.amqp.publisher import Outgoing, Publisher
from shared.deliveries import events
from shared.messages import DeliveryEvent

_DELIVERIES = 500
# Fewer, because the mails of a batch are counted for some.
_BUSINESSES = 50

Told = TypeVar("Told", DeliveryEvent, BusinessEvent)


class Outbox:
    """Publishes each event at least once; subscribers deduplicate by its id.

    Relays take turns, so that the events of one delivery, batch or schedule are published in order.
    A relay that hangs during its turn delays the others by at most `patience`.
    """

    def __init__(
        self,
        pool: asyncpg.Pool,
        publisher: Publisher,
        changed: Callable[[DeliveryEvent], None] = lambda _: None,
        *,
        poll: timedelta,
        patience: timedelta,
    ) -> None:
        """Call `changed` with each event of a delivery that was published."""
        self._pool = pool
        self._publisher = publisher
        self._changed = changed
        self._poll = poll
        self._patience = patience

    async def step(self) -> timedelta:
        """Publish a few of each kind, and return the time until the next step."""
        await self._publisher.ready()
        async with self._pool.acquire() as conn, events.turn(conn, self._patience) as ours:
            if not ours:
                return self._poll
            # Each kind has its share of the step: a large batch changes the state of many mails.
            found = await business_events.unpublished(conn, _BUSINESSES)
            told = await self._publish(found)
            await business_events.mark_published(conn, told)
            changes = await events.unpublished(conn, _DELIVERIES)
            published = await self._publish(changes)
            await events.mark_published(conn, published)
        for event in published:
            self._changed(event)
        is_full = len(told) == _BUSINESSES or len(published) == _DELIVERIES
        return timedelta(0) if is_full else self._poll

    async def _publish(self, found: Sequence[Told]) -> list[Told]:
        """Return those of the events that the broker confirmed."""
        confirmed = await self._publisher.publish([_outgoing(event) for event in found])
        return [event for event, ok in zip(found, confirmed, strict=True) if ok]


def _outgoing(event: DeliveryEvent | BusinessEvent) -> Outgoing:
    return Outgoing(
        event.id,
        topology.EVENTS,
        topology.event_key(event.type, event.data.business_id),
        event.model_dump_json(by_alias=True).encode(),
        event.traceparent,
        mandatory=False,
    )
