"""Makes the batches of due schedules."""

import asyncio
import math
import time
from datetime import timedelta
from typing import Final

import asyncpg
import structlog

from services.api.batches.model import Batch
from services.api.batches.over_quota import admit_all
from services.api.core.outage import is_outage
from services.api.core.refusals import Refusal
from services.api.schedules import records, store, timezone_changes
from services.api.schedules.advance import UnknownTimezone
from services.api.schedules.making import make_next
from services.api.schedules.stored import Stored
from services.api.sends.terms import Terms
from shared.db.postgres import Connection
from shared.deliveries.reasons import ReasonCode
from shared.text import cut

_log = structlog.get_logger("ledgerpost.relay")
_AT_ONCE: Final = timedelta(0)
_EACH: Final = 50  # occurrences of one step: few, because a relay that stops ends its step first
_ADMIT_EVERY_S: Final = 60.0
_OCCURRENCE_S_MAX: Final = 30.0
_REASON_CHARS_MAX: Final = 200
_BEFORE_ALL: Final = -1  # the business before the first one


class Scheduler:
    """Makes the batch of each due occurrence in one transaction; businesses take turns.

    Of each business the longest due one comes first. Any number of relays do so at once, and none
    leads: a schedule is locked while its occurrence is made, and others take the next one. A
    schedule whose batch cannot be made waits for longer and longer, and does not stop the others.
    """

    def __init__(self, pool: asyncpg.Pool, terms: Terms, *, poll: timedelta) -> None:
        self._pool = pool
        self._terms = terms
        self._admitted_at = -math.inf
        self._poll = poll
        self._follows_timezones = False
        self._last_business = _BEFORE_ALL

    async def step(self) -> timedelta:
        """Make some occurrences, and return the time until the next step."""
        await self._follow_timezones()
        await self._admit()
        for _ in range(_EACH):
            if not await self._make_one():
                async with self._pool.acquire() as conn:
                    due = await store.next_due(conn)
                return self._poll if due is None else min(max(due, self._poll / 10), self._poll)
        return _AT_ONCE

    async def _follow_timezones(self) -> None:
        """Correct the instants of occurrences once, because a process does not change its zones."""
        if self._follows_timezones:
            return
        async with self._pool.acquire() as conn:
            if corrected := await timezone_changes.follow(conn):
                _log.info("clocks_changed", schedules=corrected)
        self._follows_timezones = True

    async def _admit(self) -> None:
        """Try once a minute whether batches that wait for the daily quota have room by now."""
        now = time.monotonic()
        if now - self._admitted_at < _ADMIT_EVERY_S:
            return
        self._admitted_at = now  # an error must not keep each step from the occurrences
        async with self._pool.acquire() as conn:
            await admit_all(conn, self._terms)

    async def _make_one(self) -> bool:
        """Make an occurrence of the business whose turn it is; return whether there was one."""
        schedule: Stored | None = None
        async with self._pool.acquire() as conn:
            try:
                async with asyncio.timeout(_OCCURRENCE_S_MAX), conn.transaction():
                    schedule = await store.longest_due(conn, self._last_business)
                    if schedule is None:
                        return False
                    self._last_business = schedule.business_id
                    batch = await make_next(conn, schedule, self._terms)
            except Exception as error:
                if schedule is None or is_outage(error):
                    raise
                await _put_off(conn, schedule, error)
            else:
                _tell(schedule, batch)
        return True


def _tell(schedule: Stored, batch: Batch | None) -> None:
    """Log a batch that waits, once."""
    if batch is None or batch.status != "waiting":
        return
    _log.warning(
        "batch_waits_for_quota",
        batch_id=str(batch.id),
        schedule_id=str(schedule.id),
        business_id=schedule.business_id,
        customers=batch.progress.customers,
    )


async def _put_off(conn: Connection, schedule: Stored, error: Exception) -> None:
    """Have the next steps leave a schedule alone for a while, and log its first failure."""
    if isinstance(error, UnknownTimezone):
        code, reason = ReasonCode.TIMEZONE_UNKNOWN, str(error)
    elif isinstance(error, Refusal):
        code, reason = ReasonCode.BATCH_NOT_MADE, cut(str(error), _REASON_CHARS_MAX)
    else:
        code, reason = ReasonCode.BATCH_NOT_MADE, f"an error of the system: {type(error).__name__}"
    failures = await records.put_off(conn, schedule, reason, code)
    if failures == 1:
        _log.error(
            "occurrence_not_made",
            schedule_id=str(schedule.id),
            business_id=schedule.business_id,
            reason_code=code,
            exc_info=None if isinstance(error, Refusal) else error,
        )
