"""Batches and schedules after a restore of the database: nothing goes on by itself."""

from datetime import timedelta

import asyncpg

from services.api.batches.expand import take
from services.api.core.uuid7 import uuid7
from services.api.schedules import interruptions
from tests.services.api.batches.expanding import accept, begin, connected, mails, phase, step
from tests.services.api.command import run
from tests.services.api.relay.scheduling import opened

HOUR = timedelta(hours=1)


async def schedule(conn: asyncpg.Connection, due: str, **fields: str) -> None:
    given = {"id": uuid7(), "business_id": 1, "name": due, **fields}
    places = ", ".join(f"${place}" for place in range(2, len(given) + 2))
    await conn.execute(
        f"INSERT INTO schedules ({', '.join(given)}, rule, at_time, timezone, period, starts_on,"
        " created_at, updated_at, next_on, next_at, due_at)"
        f" SELECT {places}, '{{}}', '08:00', 'UTC', 'last-month', '2024-01-01', now(), now(),"
        " due.at::date, due.at, due.at FROM (SELECT now() + $1::text::interval AS at) due",
        due,
        *given.values(),
    )


async def test_batches_that_may_have_gone_on_after_the_backup_fail(database: str) -> None:
    async with connected(database) as conn:
        await begin(conn, 1, 2)
        expanding = await accept(conn, [1, 2], charged=2)
        waiting = await accept(conn, [1], phase="waiting")
        await accept(conn, [1], after=HOUR)
        due = await accept(conn, [1], after=HOUR)
        later = await accept(conn, [1], after=2 * HOUR)
        await conn.execute("UPDATE batches SET send_at = now() WHERE id = $1", due)
        sending = await accept(conn, [1], phase="sending")
        await conn.execute(
            "INSERT INTO due_recipients VALUES (1, (now() AT TIME ZONE 'UTC')::date, 3, 7)"
        )
        done = await run("quarantine", "--yes", DATABASE_URL=database)
        assert (done.status, done.out) == (
            0,
            "in doubt now: 0\nbatches failed: 3\nschedules paused: 0\n",
        )
        phases = [await phase(conn, each) for each in (expanding, waiting, due, later, sending)]
        assert phases == ["failed", "failed", "failed", "scheduled", "sending"]
        row = await conn.fetchrow("SELECT * FROM batches WHERE id = $1", expanding)
        assert row["reason_code"] == "database_restored"
        # Nothing of it will be mailed, so the day has its quota again.
        assert (row["charged"], await conn.fetchval("SELECT used FROM due_recipients")) == (0, 5)
        async with conn.transaction():
            assert await take(conn, -1) is None
        assert await mails(conn, expanding) == []
        told = await conn.fetch(
            "SELECT batch_id, reason_code FROM business_events WHERE type = 'batch.failed'"
        )
        assert {tuple(each) for each in told} == {
            (each, "database_restored") for each in (expanding, waiting, due)
        }
        # What is due later was not expanded yet.
        await conn.execute("UPDATE batches SET send_at = now() WHERE id = $1", later)
        assert await step(conn) == later


async def test_schedules_with_an_occurrence_that_is_due_are_paused_since_then(
    database: str,
) -> None:
    async with connected(database) as conn:
        for due in ("-2 hours", "-1 second", "1 hour"):
            await schedule(conn, due)
        done = await run("quarantine", "--yes", DATABASE_URL=database)
        assert done.out.endswith("schedules paused: 2\n")
        rows = await conn.fetch("SELECT * FROM schedules ORDER BY next_at")
        assert [row["paused_at"] for row in rows] == [rows[0]["next_at"], rows[1]["next_at"], None]
        told = await conn.fetch("SELECT * FROM business_events ORDER BY id")
        assert [(each["type"], each["reason_code"]) for each in told] == [
            ("schedule.paused", "database_restored")
        ] * 2
        # Subscribers may have seen smaller numbers after the backup.
        assert all(each["id"] > 1_000_000 for each in told)
        again = await run("quarantine", "--yes", DATABASE_URL=database)
        assert again.out.endswith("batches failed: 0\nschedules paused: 0\n")


async def test_what_was_due_before_is_not_made_after_the_schedule_is_resumed(
    database: str,
) -> None:
    async with opened(database) as world:
        made = await world.create()
        days = await world.due(made, weeks=3)
        await run("quarantine", "--yes", DATABASE_URL=database)
        await world.relay().step()
        await interruptions.resume(world.db, 1, made)
        await world.relay().step()
        assert await world.batches(made) == []
        assert await world.settled(made) == [(day, "paused") for day in days]


async def test_a_list_that_may_have_been_used_is_good_for_nothing(database: str) -> None:
    async with connected(database) as conn:
        await conn.execute(
            "INSERT INTO frozen_lists (id, business_id, asked, created_at, expires_at)"
            " VALUES ($1, 1, '{}', now(), now() + interval '1 h')",
            uuid7(),
        )
        await run("quarantine", "--yes", DATABASE_URL=database)
        assert await conn.fetchval("SELECT count(*) FROM frozen_lists") == 0
