"""The commands that control deliveries."""

import asyncpg

from tests.services.api.command import run

SEND = """
INSERT INTO sends VALUES (gen_random_uuid(), 1, 4, '2024-11-01', '2024-11-30', NULL, false, '[]',
    now(), now() + interval '1 d', now(), NULL);
INSERT INTO deliveries (id, send_id, business_id, position, email, email_key, state, lease_until,
    due_at, expires_at, created_at, updated_at)
SELECT gen_random_uuid(), id, 1, n, n || '@x.com', n || '@x.com', state, now(), '2024-12-01Z',
    now() + interval '1 d', now(), now()
FROM sends, unnest('{scheduled,queued,queued,cancelled}'::text[]) WITH ORDINALITY AS s (state, n)
"""


async def test_pauses_are_made_shown_and_ended(golden: str) -> None:
    for words in (("pause",), ("pause",), ("pause", "--business", "1")):
        made = await run(*words, DATABASE_URL=golden)
        assert (made.status, made.err) == (0, "")
    assert made.out == "paused: business 1\n"
    shown = await run("status", DATABASE_URL=golden)
    pauses = [line for line in shown.out.splitlines() if line.startswith("paused since")]
    assert [line.split(": ")[1] for line in pauses] == ["all businesses", "business 1"]
    ended = await run("resume", DATABASE_URL=golden)
    assert ended.out.startswith("resumed: all businesses\npaused since ")
    assert ended.out.endswith(": business 1\n")
    again = await run("resume", DATABASE_URL=golden)
    assert again.out.startswith("was not paused: all businesses\n")
    last = await run("resume", "--business", "1", DATABASE_URL=golden)
    assert last.out == "resumed: business 1\n"


async def test_status_and_quarantine_count_by_state(database: str) -> None:
    conn = await asyncpg.connect(database)
    await conn.execute(SEND)
    await conn.close()
    shown = await run("status", DATABASE_URL=database)
    assert [line.split() for line in shown.out.splitlines()] == [
        ["state", "mails", "oldest", "due"],
        ["queued", "2", "2024-12-01T00:00:00Z"],
        ["scheduled", "1", "2024-12-01T00:00:00Z"],
    ]
    unsure = await run("quarantine", DATABASE_URL=database)
    assert unsure.status == 1
    assert "2" in (await run("status", DATABASE_URL=database)).out
    sure = await run("quarantine", "--yes", DATABASE_URL=database)
    assert (sure.status, sure.out) == (0, "queued: 2\nscheduled: 1\n" + quarantined(3))
    again = await run("quarantine", "--yes", DATABASE_URL=database)
    assert again.out == quarantined(0)


def quarantined(mails: int) -> str:
    return f"in doubt now: {mails}\nbatches failed: 0\nschedules paused: 0\n"
