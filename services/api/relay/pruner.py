"""Deletes rows whose retention is over."""

from datetime import timedelta

import asyncpg

from services.api.relay import business_events
from shared.db import sql

_QUERIES = sql.load("services.api.relay")
_BATCH = 1000
_SENDS = 100  # each is deleted with its deliveries and their events
_RETURNED_MAILS = 100  # each has up to 2 MB
_BATCHES = 10  # each is deleted with its customers, as is a frozen list
_INTERVAL = timedelta(minutes=10)


class Pruner:
    """Deletes rows whose retention is over, in small batches.

    Sessions after their end, quota counts after their day, answers to Idempotency-Keys after a day,
    published events and answers after `events`, sends with all their rows `history` after their
    last mail reached a final state, then their batches and statements, and then logos that nothing
    has. Frozen lists go when they expire. Returned mails go `returns` after they came; what they
    said goes with the mail that came back, or after `history` if they match none.
    """

    def __init__(
        self, pool: asyncpg.Pool, *, history: timedelta, events: timedelta, returns: timedelta
    ) -> None:
        self._pool = pool
        self._history = history
        self._events = events
        self._returns = returns

    async def step(self) -> timedelta:
        """Delete some rows of each kind, and return the time until the next step."""
        async with self._pool.acquire() as conn:
            full = [
                await conn.execute(_QUERIES.prune_idempotency_keys, _BATCH) == f"DELETE {_BATCH}",
                await conn.execute(_QUERIES.prune_events, _BATCH, self._events) != "DELETE 0",
                await business_events.prune(conn, _BATCH, self._events),
                await conn.execute(_QUERIES.prune_answers, _BATCH, self._events) != "DELETE 0",
                await conn.execute(_QUERIES.prune_sends, _SENDS, self._history)
                == f"DELETE {_SENDS}",
                await conn.execute(_QUERIES.prune_batches, _BATCHES, self._history)
                == f"DELETE {_BATCHES}",
                await conn.execute(_QUERIES.prune_returned_mails, _RETURNED_MAILS, self._returns)
                == f"DELETE {_RETURNED_MAILS}",
                await conn.execute(_QUERIES.prune_returns, _BATCH, self._history)
                == f"DELETE {_BATCH}",
                await conn.execute(_QUERIES.prune_lifted_suppressions, _BATCH, self._history)
                == f"DELETE {_BATCH}",
                await conn.execute(_QUERIES.prune_frozen_lists, _BATCHES) == f"DELETE {_BATCHES}",
                await conn.execute(_QUERIES.prune_sessions, _BATCH) == f"DELETE {_BATCH}",
                await conn.execute(_QUERIES.prune_quotas, _BATCH) == f"DELETE {_BATCH}",
                await conn.execute(_QUERIES.prune_statements, _BATCH) == f"DELETE {_BATCH}",
                await conn.execute(_QUERIES.prune_logos, _BATCH) == f"DELETE {_BATCH}",
            ]
        return timedelta(0) if any(full) else _INTERVAL
