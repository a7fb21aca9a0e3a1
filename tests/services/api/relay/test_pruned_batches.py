from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest

from services.api.core.uuid7 import uuid7
from services.api.relay.pruner import Pruner
from shared.db import postgres
from tests.roles import acting
from tests.services.api.batches.expanding import accept, begin, connected, step

HISTORY = timedelta(days=400)
OLD = "UPDATE batches SET phase = $2, updated_at = now() - interval '401 days' WHERE id = $1"


@pytest.fixture
async def conn(database: str) -> AsyncIterator[asyncpg.Connection]:
    async with connected(database) as opened:
        await begin(opened, 1)
        yield opened


async def ended(conn: asyncpg.Connection, phase: str = "done") -> UUID:
    """Store a batch of long ago, of which everything was told."""
    batch = await accept(conn, [1])
    await conn.execute(OLD, batch, phase)
    await conn.execute("UPDATE business_events SET published_at = now()")
    return batch


async def prune(database: str) -> None:
    async with postgres.pool(acting(database, "relay"), name="test", size=2) as pool:
        await Pruner(
            pool, history=HISTORY, events=timedelta(days=30), returns=timedelta(days=30)
        ).step()


async def left(conn: asyncpg.Connection) -> set[UUID]:
    assert await conn.fetchval(
        "SELECT (SELECT count(*) FROM batches) = (SELECT count(*) FROM batch_customers)"
    )
    return {row["id"] for row in await conn.fetch("SELECT id FROM batches")}


async def test_batches_that_ended_go_with_their_customers(
    conn: asyncpg.Connection, database: str
) -> None:
    for phase in ("done", "cancelled", "failed"):
        await ended(conn, phase)
    kept = {await ended(conn, each) for each in ("scheduled", "waiting", "expanding", "sending")}
    recent = await ended(conn)
    await conn.execute(
        "UPDATE batches SET updated_at = now() - interval '399 days' WHERE id = $1", recent
    )
    await prune(database)
    assert await left(conn) == kept | {recent}


async def test_a_batch_stays_as_long_as_one_of_its_sends(
    conn: asyncpg.Connection, database: str
) -> None:
    batch = await accept(conn, [1])
    await step(conn)
    await conn.execute(OLD, batch, "done")
    await conn.execute(
        "UPDATE delivery_events SET published_at = now();"
        " UPDATE business_events SET published_at = now();"
        " UPDATE sends SET created_at = now() - interval '500 days'"
    )
    await prune(database)
    assert await left(conn) == {batch}
    await conn.execute(
        "UPDATE deliveries SET state = 'failed', updated_at = now() - interval '401 days';"
        " UPDATE delivery_events SET published_at = now()"
    )
    # The send goes first, and the batch after it in the same step.
    await prune(database)
    assert await left(conn) == set()


async def test_a_batch_stays_until_subscribers_were_told(
    conn: asyncpg.Connection, database: str
) -> None:
    batch = await ended(conn)
    await conn.execute("UPDATE business_events SET published_at = NULL WHERE type = 'batch.done'")
    await prune(database)
    assert await left(conn) == {batch}


async def test_frozen_lists_go_when_they_expire(conn: asyncpg.Connection, database: str) -> None:
    kept = uuid7()
    for number, expires in ((uuid7(), "-1 minute"), (kept, "1 minute")):
        await conn.execute(
            "INSERT INTO frozen_lists (id, business_id, asked, created_at, expires_at)"
            " VALUES ($1, 1, '{}', now() - interval '1 day', now() + $2::text::interval)",
            number,
            expires,
        )
        await conn.execute("INSERT INTO frozen_list_customers VALUES ($1, 1, '{a@x.com}')", number)
    await prune(database)
    rows = await conn.fetch("SELECT list_id FROM frozen_list_customers")
    assert [row["list_id"] for row in rows] == [kept]
