"""Erasing a customer or an address from batches, frozen lists and schedules."""

from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
import pytest

from services.api.core.uuid7 import uuid7
from tests.services.api.batches.expanding import accept, begin, connected, mails, skipped, step
from tests.services.api.command import Ended, run

ADDRESS = "c1@customers.example.com"
TABLES = ("batches", "batch_customers", "frozen_list_customers", "schedules", "idempotency_keys",
          "request_answers")  # fmt: skip
_SCHEDULE = """
INSERT INTO schedules (id, business_id, name, rule, at_time, timezone, period, starts_on,
                       created_at, updated_at, other_emails, filter)
VALUES ($1, 1, 'monthly', '{}', '08:00', 'UTC', 'last-month', '2024-01-01', now(), now(),
        '{C1@customers.example.com,kept@x.com}', '{"q": "c1@Customers.example.com"}')
"""
_ANSWER = '{"other_emails":["C1@customers.example.com"],"links":{"self":"/api/v3/batches/1"}}'


@pytest.fixture
async def conn(database: str) -> AsyncIterator[asyncpg.Connection]:
    async with connected(database) as opened:
        await begin(opened, 1, 2)
        yield opened


async def erase(database: str, *words: str) -> Ended:
    return await run("erase", "--business", "1", *words, "--yes", DATABASE_URL=database)


async def store(conn: asyncpg.Connection) -> None:
    """Store the address wherever batches and schedules may have it."""
    frozen = {1: [ADDRESS], 2: ["c2@customers.example.com", ADDRESS]}
    await accept(
        conn,
        [1, 2],
        after=timedelta(hours=1),
        frozen=frozen,
        other_emails=["C1@customers.example.com", "kept@x.com"],
        filter='{"q": "c1@Customers.example.com"}',
    )
    await conn.execute(_SCHEDULE, uuid7())
    listed = uuid7()
    await conn.execute(
        "INSERT INTO frozen_lists (id, business_id, asked, created_at, expires_at)"
        " VALUES ($1, 1, '{}', now(), now() + interval '1 h')",
        listed,
    )
    await conn.executemany(
        "INSERT INTO frozen_list_customers VALUES ($1, $2, $3)",
        [(listed, customer, recipients) for customer, recipients in frozen.items()],
    )
    await conn.execute(
        "INSERT INTO idempotency_keys (business_id, key, fingerprint, answer, created_at)"
        " VALUES (1, 'batch', '', $1, now())",
        _ANSWER,
    )


async def kept(conn: asyncpg.Connection) -> str:
    texts = [
        await conn.fetchval(f"SELECT coalesce(string_agg(t::text, ' '), '') FROM {table} t")
        for table in TABLES
    ]
    return " ".join(texts).lower()


async def test_an_address_is_nowhere_and_gets_nothing(
    conn: asyncpg.Connection, database: str
) -> None:
    await store(conn)
    assert ADDRESS in await kept(conn)
    done = await erase(database, "--address", ADDRESS)
    assert done.status == 0, done.err
    left = await kept(conn)
    assert ADDRESS not in left
    assert "kept@x.com" in left
    # A repetition with the same key must not mail everybody again.
    assert await conn.fetchval("SELECT count(*) FROM idempotency_keys") == 1
    await conn.execute("UPDATE batches SET send_at = now()")
    batch = await step(conn)
    assert await mails(conn, batch) == []
    assert await skipped(conn, batch) == dict.fromkeys((1, 2), "audience_changed")


async def test_a_customer_who_waits_is_not_mailed(conn: asyncpg.Connection, database: str) -> None:
    await store(conn)
    words = ("--customer", "1")
    refused = await erase(database, *words)
    assert (refused.status, refused.out) == (1, "")
    assert "waits in a batch" in refused.err
    done = await erase(database, *words, "--cancel")
    assert done.status == 0, done.err
    assert ADDRESS not in await kept(conn)
    await conn.execute("UPDATE batches SET send_at = now(), frozen_list = NULL")
    batch = await step(conn)
    assert await mails(conn, batch) == [
        (2, "c2@customers.example.com"),
        (2, "kept@x.com"),
    ]
    assert await skipped(conn, batch) == {1: "cancelled"}


async def test_sentences_about_the_customer_go_and_codes_stay(
    conn: asyncpg.Connection, database: str
) -> None:
    await conn.execute("UPDATE customers SET business_email = 'Nonsense of One' WHERE id = 1")
    batch = await accept(conn, [1, 2])
    await accept(conn, [1], business=2)
    await step(conn)
    await conn.execute(
        "UPDATE batch_customers SET reason = 'call One', reason_code = 'no_address'"
        " WHERE customer_id = 1"
    )
    done = await erase(database, "--customer", "1")
    assert done.status == 0, done.err
    rows = await conn.fetch(
        "SELECT c.reason, c.reason_code FROM batch_customers c JOIN batches b ON b.id = batch_id"
        " WHERE customer_id = 1 ORDER BY business_id"
    )
    assert [tuple(row) for row in rows] == [("erased", "no_address"), ("call One", "no_address")]
    assert await skipped(conn, batch) == {1: "no_address"}
