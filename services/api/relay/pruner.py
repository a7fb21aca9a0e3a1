"""Deletes rows whose retention is over."""

from datetime import timedelta

import asyncpg

from shared.db import sql

_QUERIES = sql.load("services.api.relay")
_BATCH = 1000
_SENDS = 100  # each is deleted with its deliveries and their events
_INTERVAL = timedelta(minutes=10)


class Pruner:
    """Deletes rows whose retention is over, in small batches.

    Sessions after their end, quota counts after their day, answers to Idempotency-Keys after a day,
    published events and answers after `events`, sends with all their rows `history` after their
    last mail reached a final state, and then their statements.
    """

    def __init__(self, pool: asyncpg.Pool, *, history: timedelta, events: timedelta) -> None:
        self._pool = pool
        self._history = history
        self._events = events

    async def step(self) -> timedelta:
        """Delete one batch of each kind, and return the time until the next step."""
        async with self._pool.acquire() as conn:
            full = [
                await conn.execute(_QUERIES.prune_idempotency_keys, _BATCH) == f"DELETE {_BATCH}",
                await conn.execute(_QUERIES.prune_events, _BATCH, self._events) != "DELETE 0",
                await conn.execute(_QUERIES.prune_answers, _BATCH, self._events) != "DELETE 0",
                await conn.execute(_QUERIES.prune_sends, _SENDS, self._history)
                == f"DELETE {_SENDS}",
                await conn.execute(_QUERIES.prune_sessions, _BATCH) == f"DELETE {_BATCH}",
                await conn.execute(_QUERIES.prune_quotas, _BATCH) == f"DELETE {_BATCH}",
                await conn.execute(_QUERIES.prune_statements, _BATCH) == f"DELETE {_BATCH}",
            ]
        return timedelta(0) if any(full) else _INTERVAL
