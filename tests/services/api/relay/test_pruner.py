from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest

from services.api.relay import pruner
from services.api.relay.pruner import Pruner
from shared.db import postgres
from shared.deliveries.states import ENDS, State
from tests.roles import acting

HISTORY, EVENTS = timedelta(days=400), timedelta(days=30)


@pytest.fixture
async def conn(database: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database)
    yield connection
    await connection.close()


@pytest.fixture
async def pool(database: str) -> AsyncIterator[asyncpg.Pool]:
    async with postgres.pool(acting(database, "relay"), name="test", size=2) as opened:
        yield opened


async def past(
    conn: asyncpg.Connection, *states: State, days: int, ended: int | None = None
) -> UUID:
    """Store a send of so many days ago whose mails came to these states `ended` days ago."""
    send_id = uuid4()
    ago, since = timedelta(days=days), timedelta(days=days if ended is None else ended)
    digest = await conn.fetchval(
        "INSERT INTO statements VALUES (1, sha256($1), 'figures', now() - $2::interval)"
        " RETURNING sha256",
        send_id.bytes,
        ago,
    )
    await conn.execute(
        "INSERT INTO sends VALUES ($1, 1, 4, '2024-11-01', '2024-11-30', 'personal', false, '[]',"
        " now() - $2::interval, now() + interval '1 h', now() - $2::interval, $3)",
        send_id,
        ago,
        digest,
    )
    await conn.execute(
        "INSERT INTO deliveries (id, send_id, business_id, position, email, email_key, state,"
        " lease_until, sent_at, due_at, expires_at, created_at, updated_at)"
        " SELECT gen_random_uuid(), $1, 1, place, 'p' || place || '@x.com', 'p' || place ||"
        " '@x.com', state, now(), CASE state WHEN 'sent' THEN now() END, now(), now(), now(),"
        " now() - $3::interval FROM unnest($2::text[]) WITH ORDINALITY AS s (state, place)",
        send_id,
        list(states),
        since,
    )
    await conn.execute("UPDATE delivery_events SET published_at = now()")
    return send_id


async def rows(conn: asyncpg.Connection) -> tuple[int, ...]:
    tables = ("sends", "deliveries", "delivery_events", "statements", "idempotency_keys")
    return tuple([await conn.fetchval(f"SELECT count(*) FROM {each}") for each in tables])


def make(pool: asyncpg.Pool) -> Pruner:
    return Pruner(pool, history=HISTORY, events=EVENTS, returns=EVENTS)


async def test_old_sends_that_came_to_their_end_go_with_all_that_belongs_to_them(
    conn: asyncpg.Connection, pool: asyncpg.Pool
) -> None:
    old = await past(conn, *ENDS, days=401)
    await conn.execute("INSERT INTO idempotency_keys VALUES (1, 'key', '', $1, '{}', now())", old)
    kept = await past(conn, State.SENT, days=399)
    await make(pool).step()
    assert await rows(conn) == (1, 1, 1, 1, 0)
    assert await conn.fetchval("SELECT id FROM sends") == kept


@pytest.mark.parametrize("state", [state for state in State if state not in ENDS])
async def test_what_has_not_come_to_its_end_is_kept_however_old(
    conn: asyncpg.Connection, pool: asyncpg.Pool, state: State
) -> None:
    await past(conn, State.SENT, state, days=4000)
    await make(pool).step()
    assert await rows(conn) == (1, 2, 2, 1, 0)


async def test_the_time_runs_from_the_end_of_the_last_mail(
    conn: asyncpg.Connection, pool: asyncpg.Pool
) -> None:
    await past(conn, State.SENT, days=800, ended=399)
    await make(pool).step()
    assert await rows(conn) == (1, 1, 1, 1, 0)


async def test_what_subscribers_were_not_told_of_is_kept(
    conn: asyncpg.Connection, pool: asyncpg.Pool
) -> None:
    await past(conn, State.SENT, days=401)
    await conn.execute("UPDATE delivery_events SET published_at = NULL")
    await make(pool).step()
    assert await rows(conn) == (1, 1, 1, 1, 0)


async def test_published_events_go_before_their_send(
    conn: asyncpg.Connection, pool: asyncpg.Pool
) -> None:
    await past(conn, State.SENT, State.SENT, State.SENT, days=100)
    first, second, _ = await conn.fetch("SELECT id FROM delivery_events ORDER BY id")
    for event, days in ((first, 31), (second, 29)):
        await conn.execute(
            "UPDATE delivery_events SET published_at = now() - $2::interval WHERE id = $1",
            event["id"],
            timedelta(days=days),
        )
    await make(pool).step()
    assert await rows(conn) == (1, 3, 2, 1, 0)
    assert first["id"] not in {r["id"] for r in await conn.fetch("SELECT id FROM delivery_events")}


async def test_events_of_batches_and_schedules_go_a_while_after_they_were_published(
    conn: asyncpg.Connection, pool: asyncpg.Pool
) -> None:
    await conn.execute(
        "INSERT INTO business_events (business_id, type, schedule_id, published_at)"
        " SELECT 1, 'schedule.created', gen_random_uuid(), now() - days * interval '1 day'"
        " FROM unnest(ARRAY[31, 29, NULL]) days"
    )
    await make(pool).step()
    left = await conn.fetch("SELECT published_at FROM business_events ORDER BY id")
    assert [each["published_at"] is None for each in left] == [False, True]


async def test_a_statement_stays_as_long_as_any_send_shows_it(
    conn: asyncpg.Connection, pool: asyncpg.Pool
) -> None:
    first, again = await past(conn, State.SENT, days=401), await past(conn, State.SENT, days=1)
    await conn.execute(
        "UPDATE sends SET resend_of = $1,"
        " statement_sha256 = (SELECT statement_sha256 FROM sends WHERE id = $1) WHERE id = $2",
        first,
        again,
    )
    await make(pool).step()
    row = await conn.fetchrow("SELECT * FROM sends JOIN statements ON sha256 = statement_sha256")
    assert (row["id"], row["resend_of"], row["content"]) == (again, first, "figures")


async def test_batches_are_small_and_follow_each_other_at_once(
    conn: asyncpg.Connection, pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pruner, "_SENDS", 2)
    for _ in range(5):
        await past(conn, State.SENT, days=401)
    waits, left = [], []
    for _ in range(3):
        waits.append(await make(pool).step())
        left.append((await rows(conn))[0])
    assert left == [3, 1, 0]
    assert waits[:2] == [timedelta(0)] * 2
    assert waits[2] > timedelta(0)
    assert await rows(conn) == (0, 0, 0, 0, 0)


async def test_a_logo_stays_as_long_as_a_branding_or_a_statement_has_it(
    conn: asyncpg.Connection, pool: asyncpg.Pool
) -> None:
    await conn.execute("""
        INSERT INTO businesses (id, owner_id, name, currency, timezone)
            VALUES (1, 1, 'One', 'EUR', 'UTC'), (2, 2, 'Two', 'EUR', 'UTC');
        INSERT INTO logos (business_id, sha256, png, width, height, created_at)
            SELECT business, sha256(name::bytea), 'png', 1, 1,
                   now() - CASE name WHEN 'new' THEN interval '1 h' ELSE interval '2 days' END
            FROM unnest(ARRAY[1, 2]) business, unnest(ARRAY['used', 'mailed', 'gone', 'new']) name;
        INSERT INTO branding (business_id, logo_sha256, updated_at)
            VALUES (1, sha256('used'), now() - interval '2 days'),
                   (2, sha256('used'), now() - interval '1 h');
    """)
    await past(conn, State.SENT, days=2)
    await conn.execute("UPDATE statements SET logo_sha256 = sha256('mailed')")
    await Pruner(pool, history=HISTORY, events=EVENTS, returns=EVENTS).step()
    left = "SELECT count(*) FROM logos WHERE business_id = $1"
    gone = f"{left} AND sha256 = sha256('gone')"
    assert (await conn.fetchval(left, 1), await conn.fetchval(gone, 1)) == (3, 0)
    # The branding of this business changed a moment ago.
    assert await conn.fetchval(left, 2) == 4

    await conn.execute("UPDATE sends SET statement_sha256 = NULL")
    await conn.execute("UPDATE branding SET updated_at = now() - interval '2 days'")
    await Pruner(pool, history=HISTORY, events=EVENTS, returns=EVENTS).step()
    await Pruner(pool, history=HISTORY, events=EVENTS, returns=EVENTS).step()
    assert await conn.fetchval(left, 1) == 2
    assert await conn.fetchval(left, 2) == 2
