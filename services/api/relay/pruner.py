"""What has served its time."""

from datetime import timedelta

import asyncpg

from shared.db import sql

_QUERIES = sql.load("services.api.relay")
_BATCH = 1000
_SENDS = 100  # each takes its deliveries and their events along
_INTERVAL = timedelta(minutes=10)


class Pruner:
    """Deletes what is kept for a time only, in small batches.

    Counts of quotas when their day is over, answers to Idempotency-Keys after a day, published
    events and answers after `events`, sends with all that belongs to them `history` after their
    last mail came to its end, and then their statements.
    """

    def __init__(self, pool: asyncpg.Pool, *, history: timedelta, events: timedelta) -> None:
        self._pool = pool
        self._history = history
        self._events = events

    async def step(self) -> timedelta:
        """Delete one batch of each kind and return when to come again."""
        async with self._pool.acquire() as conn:
            full = [
                await conn.execute(_QUERIES.prune_idempotency_keys, _BATCH) == f"DELETE {_BATCH}",
                await conn.execute(_QUERIES.prune_events, _BATCH, self._events) != "DELETE 0",
                await conn.execute(_QUERIES.prune_answers, _BATCH, self._events) != "DELETE 0",
                await conn.execute(_QUERIES.prune_sends, _SENDS, self._history)
                == f"DELETE {_SENDS}",
                await conn.execute(_QUERIES.prune_quotas, _BATCH) == f"DELETE {_BATCH}",
                await conn.execute(_QUERIES.prune_statements, _BATCH) == f"DELETE {_BATCH}",
            ]
        return timedelta(0) if any(full) else _INTERVAL
