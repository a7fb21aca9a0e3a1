"""Publishes answers to requests over the queue to the topic exchange."""

from datetime import timedelta

import asyncpg
import orjson

from shared.amqp import topology
from shared.amqp.publisher import Outgoing, Publisher
from shared.db import sql

_QUERIES = sql.load("services.api.intake")
# All of a batch are held at once, and an answer repeats the id of its request: up to a megabyte.
_BATCH = 50


class Answers:
    """Publishes each answer at least once; subscribers deduplicate by its id."""

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
        async with self._pool.acquire() as conn:
            rows = await conn.fetch(_QUERIES.take_answers, _BATCH, self._patience)
        if not rows:
            return self._poll
        confirmed = await self._publisher.publish([_outgoing(row) for row in rows])
        published = [row["id"] for row, ok in zip(rows, confirmed, strict=True) if ok]
        async with self._pool.acquire() as conn:
            await conn.execute(_QUERIES.answers_told, published)
        return timedelta(0) if len(published) == _BATCH else self._poll


def _outgoing(row: asyncpg.Record) -> Outgoing:
    type_ = orjson.loads(row["event"])["type"]
    return Outgoing(
        row["event_id"],
        topology.EVENTS,
        topology.event_key(type_, row["business_id"]),
        row["event"].encode(),
        row["traceparent"],
        mandatory=False,
    )
