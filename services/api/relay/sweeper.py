"""Reclaims deliveries from workers that died, and publishes wake-ups again that were lost."""

from datetime import timedelta

import asyncpg

from services.api.relay.dispatcher import Dispatcher
from services.api.relay.hung_sessions import end_hung
from shared.amqp.publisher import Publisher
from shared.deliveries import relay

_BATCH = 500
# Added to the longest time for a reply, so that a resend never races a reply that still decides.
_MARGIN = timedelta(minutes=5)


class Sweeper:
    """Reclaims rows whose lease expired, and refills a queue that lost its messages.

    Ends the sessions of other relays that hang, so that none of them keeps a row locked.
    """

    def __init__(
        self,
        pool: asyncpg.Pool,
        publisher: Publisher,
        dispatcher: Dispatcher,
        *,
        interval: timedelta,
        patience: timedelta,
        resend_after: timedelta | None,
    ) -> None:
        self._pool = pool
        self._publisher = publisher
        self._dispatcher = dispatcher
        self._interval = interval
        self._patience = patience
        self._resend_after = resend_after
        self._refilling = False

    async def step(self) -> timedelta:
        """Sweep some rows of each kind, and return the time until the next step."""
        async with self._pool.acquire() as conn:
            await end_hung(conn)
            moved = await relay.sweep(conn, _BATCH)
            if self._resend_after is not None:
                resent = await relay.resend_in_doubt(conn, _BATCH, self._resend_after + _MARGIN)
                moved = max(moved, resent)
        # A wiped queue is no longer empty after the first part of its refill.
        empty = self._refilling or await self._publisher.queue_is_empty(self._dispatcher.queue)
        async with self._pool.acquire() as conn:
            stale = await relay.reemit(conn, _BATCH, self._patience, queue_is_empty=empty)
        self._refilling = empty and len(stale) == _BATCH
        confirmed = await self._dispatcher.emit(stale) if stale else 0
        return timedelta(0) if _BATCH in (moved, confirmed) else self._interval
