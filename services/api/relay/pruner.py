"""What has served its time."""

from datetime import timedelta

import asyncpg

from shared import sql

_QUERIES = sql.load("services.api.relay")
_BATCH = 1000
_INTERVAL = timedelta(minutes=10)


class Pruner:
    """Deletes expired idempotency keys and statements that no send shows, in small batches."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def step(self) -> timedelta:
        """Delete one batch of each kind and return when to come again."""
        async with self._pool.acquire() as conn:
            tags = [
                await conn.execute(_QUERIES.prune_idempotency_keys, _BATCH),
                await conn.execute(_QUERIES.prune_statements, _BATCH),
            ]
        full = any(tag == f"DELETE {_BATCH}" for tag in tags)
        return timedelta(0) if full else _INTERVAL
