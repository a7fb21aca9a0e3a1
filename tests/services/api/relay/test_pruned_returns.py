"""Returned mail is deleted: the mails first, and what they said with the mail that came back."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest

from services.api.relay import pruner
from services.api.relay.pruner import Pruner
from shared.db import postgres
from tests.roles import acting
from tests.shared.deliveries.conftest import submit

HISTORY, EVENTS, RETURNS = timedelta(days=400), timedelta(days=30), timedelta(days=7)


@pytest.fixture
async def conn(database: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database)
    yield connection
    await connection.close()


async def came(conn: asyncpg.Connection, days: int, delivery: UUID | None = None) -> UUID:
    """Store a mail that came back so many days ago."""
    number, ago = uuid4(), timedelta(days=days)
    await conn.execute(
        "INSERT INTO returns (id, business_id, delivery_id, received_at, source, sha256, size,"
        " kind)"
        " VALUES ($1, 1, $2, now() - $3::interval, 'smtp', sha256($4), 4, 'unknown')",
        *(number, delivery, ago, number.bytes if delivery is None else b"the same"),
    )
    await conn.execute(
        "INSERT INTO returned_mails VALUES ($1, 'mail', now() - $2::interval)", number, ago
    )
    return number


async def prune(database: str) -> timedelta:
    async with postgres.pool(acting(database, "relay"), name="test", size=2) as pool:
        return await Pruner(pool, history=HISTORY, events=EVENTS, returns=RETURNS).step()


async def left(conn: asyncpg.Connection, column: str, table: str) -> set[UUID]:
    return {row[0] for row in await conn.fetch(f"SELECT {column} FROM {table}")}


async def test_a_mail_goes_after_its_retention_and_what_it_said_stays(
    conn: asyncpg.Connection, database: str
) -> None:
    old, new = await came(conn, 8), await came(conn, 6)
    await prune(database)
    assert await left(conn, "return_id", "returned_mails") == {new}
    assert await left(conn, "id", "returns") == {old, new}


async def test_what_matches_no_mail_goes_with_the_history(
    conn: asyncpg.Connection, database: str
) -> None:
    await came(conn, 401)
    kept = await came(conn, 399)
    await prune(database)
    assert await left(conn, "id", "returns") == {kept}


async def test_what_came_back_of_a_mail_goes_with_it(
    conn: asyncpg.Connection, database: str
) -> None:
    """Even if the same came back of several, which are deleted together."""
    deliveries = await submit(conn, ["a@x.example", "b@x.example"])
    kept = await submit(conn, ["c@x.example"])
    for each in deliveries:
        await came(conn, 500, each)
    recent = await came(conn, 500, kept[0])
    await conn.execute("UPDATE sends SET created_at = now() - interval '500 days'")
    await conn.execute(
        "UPDATE deliveries SET state = 'bounced', updated_at = now() -"
        " CASE WHEN id = ANY($1::uuid[]) THEN interval '401 days' ELSE interval '399 days' END",
        deliveries,
    )
    await conn.execute("UPDATE delivery_events SET published_at = now()")
    await prune(database)
    assert await left(conn, "id", "deliveries") == set(kept)
    assert await left(conn, "id", "returns") == {recent}


async def test_lifted_suppressions_go_with_the_history(
    conn: asyncpg.Connection, database: str
) -> None:
    await conn.execute(
        "INSERT INTO lifted_suppressions (business_id, email_key, reason, reason_code,"
        " suppressed_at, lifted_at, lifted_by)"
        " SELECT 1, 'a' || days || '@x.example', 'bounced', 'suppressed_bounced', now(),"
        " now() - days * interval '1 day', 'operator' FROM unnest(ARRAY[399, 401]) days"
    )
    await prune(database)
    rows = await conn.fetch("SELECT email_key FROM lifted_suppressions")
    assert [row["email_key"] for row in rows] == ["a399@x.example"]


async def test_many_are_deleted_in_small_batches_that_follow_each_other_at_once(
    conn: asyncpg.Connection, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pruner, "_RETURNED_MAILS", 2)
    for _ in range(3):
        await came(conn, 8)
    assert await prune(database) == timedelta(0)
    assert len(await left(conn, "return_id", "returned_mails")) == 1
    assert await prune(database) > timedelta(0)
    assert not await left(conn, "return_id", "returned_mails")
