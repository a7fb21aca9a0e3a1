"""Publishes wake-ups for due deliveries to RabbitMQ."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import structlog
from prometheus_client import Counter

from services.api.relay.freezer import Freezer
from services.api.relay.room import REFILL, Room
from shared.amqp import topology
from shared.amqp.publisher import Outgoing, Publisher
from shared.deliveries import relay
from shared.deliveries.relay import Origin
from shared.messages import SendTransactions, Wakeup
from shared.process import tracing
from shared.process.tracing import Span
from shared.trace import Trace

_log = structlog.get_logger("ledgerpost.relay")
_UNKNOWN = Origin(0, None)  # of a row that was deleted
_NOW, _SOON = timedelta(0), timedelta(seconds=REFILL)


class Dispatcher:
    """Freezes statements, commits due rows to `queued`, and then publishes their wake-ups."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        freezer: Freezer,
        publisher: Publisher,
        published: Counter,
        *,
        poll: timedelta,
        patience: timedelta,
        queue: str = topology.DELIVERIES,
    ) -> None:
        """Publish to `queue`, which is that of the database."""
        self.queue = queue
        self._pool = pool
        self._freezer = freezer
        self._publisher = publisher
        self._published = published
        self._poll = poll
        self._patience = patience
        self._room = Room()

    async def step(self) -> timedelta:
        """Dispatch some rows, and return the time until the next step."""
        await self._publisher.ready()
        await self._freezer.step()
        async with self._pool.acquire() as conn:
            enqueued = await relay.enqueue(conn, self._room.rows, self._patience)
        self._room.saw(enqueued)
        if enqueued.queued:
            await self.emit(enqueued.queued)
        if enqueued.moved > len(enqueued.queued):
            return _NOW  # rows that became final leave room for others
        if enqueued.is_full or self._freezer.is_busy:
            return _SOON
        async with self._pool.acquire() as conn:
            due = await relay.next_due(conn)
        # A due row that did not change is locked by another session.
        soonest = _NOW if enqueued.moved else _SOON
        return self._poll if due is None else min(max(due, soonest), self._poll)

    async def emit(self, ids: list[UUID]) -> int:
        """Publish a wake-up for each of these queued rows; record and count the confirmed ones."""
        confirmed = [False] * len(ids)
        async with self._pool.acquire() as conn:
            origins = await relay.origins(conn, ids)
        try:
            confirmed = await self._publish(ids, origins)
        finally:
            published = [delivery for delivery, ok in zip(ids, confirmed, strict=True) if ok]
            self._published.inc(len(published))
            refused = [delivery for delivery, ok in zip(ids, confirmed, strict=True) if not ok]
            async with self._pool.acquire() as conn:
                await relay.confirm(conn, published)
                if refused:
                    _log.warning("wakeups_not_confirmed", count=len(refused))
                    await relay.retry_soon(conn, refused)
        return len(published)

    async def _publish(self, ids: list[UUID], origins: Mapping[UUID, Origin]) -> list[bool]:
        wakeups = [(each, origins.get(each, _UNKNOWN)) for each in ids]
        spans = [self._span(*each) for each in wakeups]
        confirmed = [False] * len(ids)
        try:
            confirmed = await self._publisher.publish(
                [
                    _wakeup(delivery, _within(origin, span), self.queue)
                    for (delivery, origin), span in zip(wakeups, spans, strict=True)
                ]
            )
        finally:
            for span, ok in zip(spans, confirmed, strict=True):
                if not ok:
                    span.fail("not_confirmed")
                span.end()
        return confirmed

    def _span(self, delivery_id: UUID, origin: Origin) -> Span:
        about = topology.described("publish", self.queue) | {
            "ledgerpost.delivery_id": str(delivery_id)
        }
        request = Trace.given([origin.traceparent] if origin.traceparent else [])
        return tracing.begin(f"publish {self.queue}", "producer", request, about)


def _within(origin: Origin, span: Span) -> Origin:
    """Return the origin with the place of a span in its trace, so that the mail is below it."""
    return origin if span.trace is None else origin._replace(traceparent=str(span.trace))


def _wakeup(delivery_id: UUID, origin: Origin, queue: str) -> Outgoing:
    now = datetime.now(UTC)
    # A new id each time: confirms of two messages in flight with the same id would be swapped.
    message_id = f"{delivery_id}.{now.timestamp():.6f}"
    event = SendTransactions(
        id=message_id,
        time=now,
        traceparent=origin.traceparent,
        data=Wakeup(delivery_id=delivery_id, business_id=origin.business_id),
    )
    return Outgoing(
        message_id,
        topology.DELIVERIES,
        queue,
        event.model_dump_json().encode(),
        origin.traceparent,
    )
