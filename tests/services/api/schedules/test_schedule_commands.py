"""The commands about schedules, and what `status` says of them."""

import asyncpg

from tests.services.api.command import run
from tests.services.api.schedules.calls import create, show
from tests.services.api.sends.calls import Client

NOBODY = "0198c0de-0000-7000-8000-000000000000"


async def test_schedules_are_listed_paused_and_resumed(api: Client, database: str) -> None:
    empty = await run("schedules", DATABASE_URL=database)
    assert (empty.status, empty.out) == (0, "there is no schedule\n")
    later = await create(api, name="Later\x1b[2J", starts_on="2031-06-01", ends_on="2031-12-31")
    first = await create(api, starts_on="2031-01-01")

    shown = await run("schedules", DATABASE_URL=database)
    heads, *rows = shown.out.splitlines()
    assert " ".join(heads.split()) == "id business name status next timezone last why it waits"
    assert [row.split()[0] for row in rows] == [first["id"], later["id"]]
    assert "2031-01-31T09:00+01:00  Europe/Berlin  -" in rows[0]
    assert "\x1b" not in shown.out
    none = await run("schedules", "--business", "2", DATABASE_URL=database)
    assert none.out == empty.out

    paused = await run("schedules", "pause", first["id"], DATABASE_URL=database)
    assert (paused.status, paused.out) == (0, "Statements of the month: paused\n")
    assert (await show(api, first))["status"] == "paused"
    resumed = await run("schedules", "resume", first["id"], DATABASE_URL=database)
    assert resumed.out == "Statements of the month: active, next: 2031-01-31T08:00:00Z\n"
    for word in ("pause", "resume"):
        unknown = await run("schedules", word, NOBODY, DATABASE_URL=database)
        assert (unknown.status, unknown.out) == (1, "")
        assert "There is no such schedule." in unknown.err


async def test_status_tells_what_a_person_has_to_look_at(
    api: Client, ledger: asyncpg.Connection, database: str
) -> None:
    await create(api)
    await ledger.execute(
        "UPDATE schedules SET failures = 1, reason = 'why', reason_code = 'batch_not_made'"
    )
    await ledger.execute(
        "INSERT INTO batches (id, business_id, phase, date_from, date_to, send_at, expires_at,"
        " created_at, updated_at, schedule_id) SELECT gen_random_uuid(), 1, 'waiting',"
        " '2024-11-01', '2024-11-30', now(), now() + interval '1 d', now(), now(), id"
        " FROM schedules"
    )
    shown = await run("status", DATABASE_URL=database)
    assert shown.out.splitlines() == [
        "batches that wait for DAILY_QUOTA: 1",
        "schedules whose batch cannot be made: 1",
        "every mail is in a final state",
    ]
    assert (await run("schedules", DATABASE_URL=database)).out.rstrip().endswith("  why")
    await ledger.execute("UPDATE schedules SET paused_at = now(); DELETE FROM batches")
    shown = await run("status", DATABASE_URL=database)
    assert shown.out.startswith("all is well")
