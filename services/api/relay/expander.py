"""Expands due batches into sends, a few customers at a time; businesses take turns."""

import time
from datetime import timedelta

import asyncpg
import structlog

from services.api.batches import expand
from services.api.batches.cancel import go_on_with_left
from services.api.batches.expand import Taken
from services.api.core.outage import is_outage
from services.api.sends.terms import Terms
from shared.db.postgres import Connection

_log = structlog.get_logger("ledgerpost.relay")
_NOW, _SOON = timedelta(0), timedelta(milliseconds=50)
_BEFORE_ALL = -1  # the business before the first one


class Expander:
    """Makes the sends of batches in small steps, each of which is one transaction.

    Any number of relays work on different batches. A batch whose steps fail delays no other, and
    fails after some tries.
    """

    def __init__(self, pool: asyncpg.Pool, terms: Terms, *, poll: timedelta) -> None:
        self._pool = pool
        self._terms = terms
        self._poll = poll
        self._last_business = _BEFORE_ALL
        self._finished_at = -poll.total_seconds()

    async def step(self) -> timedelta:
        """Expand some customers of one batch, and return the time until the next step."""
        await self._finish()
        if await self._expand():
            return _NOW
        async with self._pool.acquire() as conn:
            due = await expand.next_due(conn)
        # A due batch that was not taken is another relay's.
        return self._poll if due is None else min(max(due, _SOON), self._poll)

    async def _finish(self) -> None:
        """End batches, and cancels that were left; at most once in each interval of polling."""
        now = time.monotonic()
        if now - self._finished_at < self._poll.total_seconds():
            return
        async with self._pool.acquire() as conn:
            await expand.finish(conn)
            await go_on_with_left(conn)
        self._finished_at = now

    async def _expand(self) -> bool:
        """Take one step of the batch whose turn it is, and return whether there was one."""
        batch: Taken | None = None
        async with self._pool.acquire() as conn:
            try:
                async with conn.transaction():
                    batch = await expand.take(conn, self._last_business)
                    if batch is None:
                        return False
                    self._last_business = batch.business_id
                    await expand.expand(conn, batch, self._terms)
            except Exception as error:
                if batch is None or is_outage(error):
                    raise
                await self._failed(conn, batch, error)
        return True

    async def _failed(self, conn: Connection, batch: Taken, error: Exception) -> None:
        """Put the batch off, so that it does not delay the others."""
        given_up = await expand.note_failure(conn, batch.id, error)
        _log.error(
            "batch_not_expanded",
            batch_id=str(batch.id),
            business_id=batch.business_id,
            given_up=given_up,
            exc_info=error,
        )
