"""Publishes wake-ups for due deliveries to RabbitMQ."""

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
from shared.messages import SendTransactions, Wakeup

_log = structlog.get_logger("ledgerpost.relay")
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
    ) -> None:
        self._pool = pool
        self._freezer = freezer
        self._publisher = publisher
        self._published = published
        self._poll = poll
        self._patience = patience
        self._room = Room()

    async def step(self) -> timedelta:
        """Dispatch one batch, and return the time until the next step."""
        await self._publisher.ready()
        await self._freezer.step()
        async with self._pool.acquire() as conn:
            batch = await relay.enqueue(conn, self._room.rows, self._patience)
        self._room.saw(batch)
        if batch.queued:
            await self.emit(batch.queued)
        if batch.moved > len(batch.queued):
            return _NOW  # rows that became final leave room for others
        if batch.is_full or self._freezer.is_busy:
            return _SOON
        async with self._pool.acquire() as conn:
            due = await relay.next_due(conn)
        # A due row that did not change is locked by another session.
        soonest = _NOW if batch.moved else _SOON
        return self._poll if due is None else min(max(due, soonest), self._poll)

    async def emit(self, ids: list[UUID]) -> int:
        """Publish a wake-up for each of these queued rows; record and count the confirmed ones."""
        confirmed = [False] * len(ids)
        async with self._pool.acquire() as conn:
            traces = await relay.traces(conn, ids)
        try:
            confirmed = await self._publisher.publish(
                [_wakeup(delivery, traces.get(delivery)) for delivery in ids]
            )
        finally:
            published = [delivery for delivery, ok in zip(ids, confirmed, strict=True) if ok]
            self._published.inc(len(published))
            refused = [delivery for delivery, ok in zip(ids, confirmed, strict=True) if not ok]
            async with self._pool.acquire() as conn:
                await relay.confirm(conn, published)
                if refused:
                    _log.warning("messages not confirmed", count=len(refused))
                    await relay.retry_soon(conn, refused)
        return len(published)


def _wakeup(delivery_id: UUID, traceparent: str | None) -> Outgoing:
    now = datetime.now(UTC)
    # A new id each time: confirms of two messages in flight with the same id would be swapped.
    message_id = f"{delivery_id}.{now.timestamp():.6f}"
    event = SendTransactions(
        id=message_id, time=now, traceparent=traceparent, data=Wakeup(delivery_id=delivery_id)
    )
    return Outgoing(
        message_id,
        topology.DELIVERIES,
        topology.DELIVERIES,
        event.model_dump_json().encode(),
        traceparent,
    )
