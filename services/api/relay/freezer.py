"""Statements of due sends, frozen a few at a time."""

import asyncio
from datetime import timedelta
from uuid import UUID

import asyncpg
import structlog

from services.api.statements.store import NoStatement, freeze
from shared import postgres
from shared.deliveries import waiting
from shared.deliveries.waiting import Unfrozen

_log = structlog.get_logger("ledgerpost.relay")
_LANES = 4
_PATIENCE = 1.0  # seconds for one step; what takes longer goes on beside the next ones
_AGAIN = timedelta(minutes=1)


class Freezer:
    """Freezes several statements at once: a slow one holds up few others, and not for long."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._lanes = asyncio.Semaphore(_LANES)
        self._at_work: dict[UUID, asyncio.Task[None]] = {}

    async def step(self, limit: int) -> int:
        """Freeze what the `limit` longest due lack, and return how many sends that were.

        0 as well where none was done with in time. Raises one of postgres.UNAVAILABLE.
        """
        self._reap()
        async with self._pool.acquire() as conn:
            due = await waiting.unfrozen(conn, limit)
        begun = {
            send.send_id: asyncio.create_task(self._freeze(send))
            for send in due
            if send.send_id not in self._at_work
        }
        self._at_work |= begun
        if begun:
            await asyncio.wait(begun.values(), timeout=_PATIENCE)
        return len(due) if self._reap() else 0

    async def close(self) -> None:
        """Give up what is at work; the next relay begins it again."""
        for task in self._at_work.values():
            task.cancel()
        await asyncio.gather(*self._at_work.values(), return_exceptions=True)

    def _reap(self) -> int:
        """Let go of what is done, and return how many; raises the first problem of theirs."""
        done = [send for send, task in self._at_work.items() if task.done()]
        problems = [self._at_work.pop(send).exception() for send in done]
        for problem in filter(None, problems):
            raise problem
        return len(done)

    async def _freeze(self, send: Unfrozen) -> None:
        async with self._lanes, self._pool.acquire() as conn:
            try:
                await freeze(conn, send)
            except NoStatement as reason:
                await waiting.abandon(conn, send.send_id, str(reason))
            except (TimeoutError, asyncpg.QueryCanceledError, asyncpg.PostgresError) as error:
                if isinstance(error, postgres.UNAVAILABLE) and not isinstance(
                    error, (TimeoutError, asyncpg.QueryCanceledError)
                ):
                    raise
                # One statement that cannot be made must not hold up the others.
                _log.exception("statement not frozen", send=str(send.send_id))
                trouble = f"the statement could not be made: {type(error).__name__}"
                await waiting.put_off(conn, send.send_id, _AGAIN, trouble)
