"""Freezes the statements of due sends, a few at a time; businesses take turns."""

import asyncio
from datetime import timedelta
from uuid import UUID

import asyncpg
import structlog

from services.api.statements.store import NoStatement, freeze
from shared.db import postgres
from shared.deliveries import relay
from shared.deliveries.relay import Unfrozen
from shared.turns import Turns

_log = structlog.get_logger("ledgerpost.relay")
_LANES, _EACH = 5, 4
_DELIVERIES_MAX = 500  # deliveries whose sends are considered in one step
_STEP_WAIT_S = 0.1  # seconds that one step waits; unfinished statements continue after it
_AGAIN = timedelta(minutes=1)


class Freezer:
    """Freezes several statements at once, so that slow ones delay few others, and only briefly.

    No business has all lanes; the last free lane is for a business that has none.
    """

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._lanes = Turns(_LANES, _EACH, spare=True)
        self._at_work: dict[UUID, asyncio.Task[None]] = {}

    @property
    def is_busy(self) -> bool:
        """Whether statements are being frozen."""
        return bool(self._at_work)

    async def step(self) -> None:
        """Freeze the statements of the longest due deliveries. Raises one of postgres.UNAVAILABLE.

        Statements that take longer than 0.1 s continue after the step.
        """
        self._reap()
        async with self._pool.acquire() as conn:
            due = await relay.unfrozen(conn, _DELIVERIES_MAX)
        begun = {
            send.send_id: asyncio.create_task(self._freeze(send))
            for send in due
            if send.send_id not in self._at_work
        }
        self._at_work |= begun
        if begun:
            await asyncio.wait(begun.values(), timeout=_STEP_WAIT_S)
        self._reap()

    async def close(self) -> None:
        """Cancel the statements in progress; the next relay starts them again."""
        for task in self._at_work.values():
            task.cancel()
        await asyncio.gather(*self._at_work.values(), return_exceptions=True)

    def _reap(self) -> None:
        """Forget finished statements. Raises the first of their errors."""
        done = [send for send, task in self._at_work.items() if task.done()]
        problems = [self._at_work.pop(send).exception() for send in done]
        for problem in filter(None, problems):
            raise problem

    async def _freeze(self, send: Unfrozen) -> None:
        async with self._lanes.turn(send.business_id), self._pool.acquire() as conn:
            try:
                await freeze(conn, send)
            except NoStatement as never:
                await relay.abandon(conn, send.send_id, str(never), never.code)
            except (TimeoutError, asyncpg.QueryCanceledError, asyncpg.PostgresError) as error:
                if isinstance(error, postgres.UNAVAILABLE) and not isinstance(
                    error, (TimeoutError, asyncpg.QueryCanceledError)
                ):
                    raise
                # One statement that cannot be made must not delay the others.
                _log.exception("statement_not_frozen", send_id=str(send.send_id))
                trouble = f"the statement could not be made: {type(error).__name__}"
                await relay.put_off(conn, send.send_id, _AGAIN, trouble)
