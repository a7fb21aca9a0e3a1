"""Schedules on a ledger, and relays that make their batches."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from services.api.core.parsing import parse
from services.api.relay.scheduler import Scheduler
from services.api.schedules import changes
from services.api.schedules.body import ScheduleBody
from services.api.sends.terms import Terms
from shared.db import postgres
from tests.roles import acting
from tests.services.api.sends.conftest import LEDGER

POLL = timedelta(seconds=1)
TERMS = Terms(max_recipients=25, max_lateness=timedelta(hours=72), daily_quota=1000)
MONDAYS: dict[str, Any] = {
    "name": "Weekly",
    "rule": {"every": "week", "weekday": "mon"},
    "time": "09:00",
    "timezone": "Europe/Berlin",
    "period": "last-week",
}
BATCHES = "SELECT * FROM batches WHERE schedule_id = $1 ORDER BY occurrence, created_at"
SETTLED = """SELECT occurrence, outcome FROM schedule_occurrences WHERE schedule_id = $1
             ORDER BY occurrence"""


@dataclass
class World:
    """A ledger with schedules, and relays that are stepped by the test."""

    db: asyncpg.Connection
    pool: asyncpg.Pool

    def relay(self, terms: Terms = TERMS) -> Scheduler:
        return Scheduler(self.pool, terms, poll=POLL)

    async def create(self, business: int = 1, **changed: Any) -> UUID:
        body = parse(ScheduleBody, {**MONDAYS, **changed})
        return (await changes.create(self.db, business, body, TERMS)).id

    async def due(self, schedule: UUID, weeks: int = 1) -> list[date]:
        """Put the next occurrence so many weeks back; return the dates that are due by that."""
        first = await self.db.fetchval(
            "UPDATE schedules SET next_on = next_on - 7 * $2::int, starts_on = '2020-01-01',"
            " next_at = next_at - interval '7 d' * $2, due_at = due_at - interval '7 d' * $2"
            " WHERE id = $1 RETURNING next_on",
            schedule,
            weeks,
        )
        return [first + timedelta(days=7 * number) for number in range(weeks)]

    async def due_now(self, schedule: UUID) -> date:
        """Have the next occurrence be due for a minute."""
        day: date = await self.db.fetchval(
            "UPDATE schedules SET next_at = now() - interval '1 min',"
            " due_at = now() - interval '1 min' WHERE id = $1 RETURNING next_on",
            schedule,
        )
        return day

    async def batches(self, schedule: UUID) -> list[asyncpg.Record]:
        return list(await self.db.fetch(BATCHES, schedule))

    async def settled(self, schedule: UUID) -> list[tuple[date, str]]:
        return [tuple(row) for row in await self.db.fetch(SETTLED, schedule)]

    async def row(self, schedule: UUID) -> asyncpg.Record:
        row = await self.db.fetchrow("SELECT * FROM schedules WHERE id = $1", schedule)
        assert row is not None
        return row


@asynccontextmanager
async def opened(database: str) -> AsyncIterator[World]:
    db = await asyncpg.connect(database, server_settings={"timezone": "UTC"})
    await db.execute(LEDGER)
    async with postgres.pool(acting(database, "relay"), name="test", size=8) as pool:
        yield World(db, pool)
    await db.close()
