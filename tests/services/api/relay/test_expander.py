"""The relay's loop over batches: faults of one batch, turns, and the end."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from services.api.batches import expand
from services.api.batches.decisions import Asked, Decision
from services.api.relay.expander import Expander
from shared.db import postgres
from tests.roles import acting
from tests.services.api.batches.expanding import (
    TERMS,
    accept,
    begin,
    connected,
    mails,
    phase,
    step,
)

POLL = timedelta(seconds=1)


@pytest.fixture
async def conn(database: str) -> AsyncIterator[asyncpg.Connection]:
    async with connected(database) as opened:
        await begin(opened, *range(1, 6))
        yield opened


@pytest.fixture
async def pool(database: str) -> AsyncIterator[asyncpg.Pool]:
    async with postgres.pool(acting(database, "relay"), name="test", size=4) as opened:
        yield opened


def expander(pool: asyncpg.Pool) -> Expander:
    return Expander(pool, TERMS, poll=POLL)


async def run(loop: Expander, most: int = 50) -> None:
    """Step until nothing is left to do at once."""
    for _ in range(most):
        if await loop.step() > timedelta(0):
            return
    raise AssertionError("the loop found no end")


def refusing(monkeypatch: pytest.MonkeyPatch, customer: int, error: Exception) -> None:
    """Let the decision about a customer fail, and with it that about the whole step."""
    decide = expand.decide

    async def failing(
        conn: postgres.Connection, asked: Asked, terms: Any, customers: Sequence[int], frozen: Any
    ) -> list[Decision]:
        if customer in customers:
            raise error
        return await decide(conn, asked, terms, customers, frozen)

    monkeypatch.setattr(expand, "decide", failing)


async def test_a_batch_goes_from_accepted_to_done(
    conn: asyncpg.Connection, pool: asyncpg.Pool
) -> None:
    batch = await accept(conn, [1, 2, 3])
    loop = expander(pool)
    await run(loop)
    assert await phase(conn, batch) == "sending"
    assert len(await mails(conn, batch)) == 3
    await conn.execute("UPDATE deliveries SET state = 'failed'")
    await run(expander(pool))
    assert await phase(conn, batch) == "done"


async def test_the_loop_waits_for_the_next_batch_and_for_no_longer_than_a_poll(
    conn: asyncpg.Connection, pool: asyncpg.Pool
) -> None:
    loop = expander(pool)
    assert await loop.step() == POLL
    await accept(conn, [1], after=timedelta(milliseconds=600))
    assert timedelta(0) < await loop.step() <= timedelta(milliseconds=600)
    await conn.execute("UPDATE batches SET send_at = now() + interval '1 h'")
    assert await loop.step() == POLL


async def test_a_batch_that_fails_delays_no_other_and_fails_in_the_end(
    conn: asyncpg.Connection, pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expand, "STEP", 2)
    refusing(monkeypatch, 3, ValueError("secret"))
    bad = await accept(conn, [1, 2, 3, 4], charged=4)
    good = await accept(conn, [1, 2])
    loop = expander(pool)
    await run(loop)
    assert await phase(conn, good) == "sending"
    while await phase(conn, bad) == "expanding":
        # Each failure puts it off.
        assert await conn.fetchval(
            "SELECT bool_and(try_at BETWEEN updated_at AND updated_at + interval '1 hour 1 s'"
            " AND reason_code = 'not_expanded') FROM batches WHERE tries > 0"
        )
        await conn.execute("UPDATE batches SET try_at = now() WHERE tries > 0")
        await run(loop)
    assert await phase(conn, bad) == "failed"
    failed = await conn.fetchrow("SELECT * FROM batches WHERE id = $1", bad)
    assert (failed["reason_code"], failed["tries"]) == ("not_expanded", 10)
    # The kind of the error and no word of it, which may have data of the ledger.
    assert failed["reason"] == "customers could not be made into sends: ValueError"
    # What became sends stays, the rest waits for ever and is visible; its quota is given back.
    assert [customer for customer, _ in await mails(conn, bad)] == [1, 2]
    assert failed["charged"] == 2
    waiting = await conn.fetch(
        "SELECT customer_id FROM batch_customers WHERE batch_id = $1 AND send_id IS NULL", bad
    )
    assert [each["customer_id"] for each in waiting] == [3, 4]
    assert await loop.step() > timedelta(0)


async def test_a_batch_that_gets_over_its_fault_forgets_it(
    conn: asyncpg.Connection, pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = await accept(conn, [1])
    with monkeypatch.context() as faulty:
        refusing(faulty, 1, TimeoutError())
        await run(expander(pool))
    assert await conn.fetchval("SELECT tries FROM batches") > 0
    await conn.execute("UPDATE batches SET try_at = now()")
    await run(expander(pool))
    forgotten = await conn.fetchrow("SELECT tries, reason, reason_code FROM batches")
    assert tuple(forgotten) == (0, None, None)
    assert len(await mails(conn, batch)) == 1


async def test_an_outage_of_postgres_counts_against_no_batch(
    conn: asyncpg.Connection, pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    await accept(conn, [1])
    refusing(monkeypatch, 1, ConnectionResetError())
    with pytest.raises(ConnectionResetError):
        await expander(pool).step()
    assert await conn.fetchval("SELECT tries FROM batches") == 0


async def test_one_business_with_many_batches_does_not_hold_up_another(
    conn: asyncpg.Connection, pool: asyncpg.Pool
) -> None:
    await begin(conn, 1, business=2)
    for _ in range(20):
        await accept(conn, [1])
    other = await accept(conn, [1], business=2)
    loop = expander(pool)
    await loop.step()
    await loop.step()
    assert len(await mails(conn, other)) == 1


async def test_several_relays_make_each_send_once(
    conn: asyncpg.Connection, pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expand, "STEP", 1)
    batches = [await accept(conn, range(1, 6)) for _ in range(4)]
    await asyncio.gather(*(run(expander(pool), most=200) for _ in range(3)))
    await run(expander(pool))
    for batch in batches:
        assert [customer for customer, _ in await mails(conn, batch)] == [1, 2, 3, 4, 5]


async def test_a_paused_business_is_expanded_and_its_mails_wait(
    conn: asyncpg.Connection, pool: asyncpg.Pool
) -> None:
    await conn.execute("INSERT INTO pauses (business_id) VALUES (1)")
    batch = await accept(conn, [1])
    await run(expander(pool))
    assert await phase(conn, batch) == "sending"
    assert len(await mails(conn, batch)) == 1


async def test_whoever_was_deleted_meanwhile_is_skipped(
    conn: asyncpg.Connection, pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expand, "STEP", 1)
    batch = await accept(conn, [1, 2])
    await step(conn)
    await conn.execute("DELETE FROM customers WHERE id = 2")
    await run(expander(pool))
    row = await conn.fetchrow(
        "SELECT customer_id, reason_code FROM batch_customers"
        " WHERE batch_id = $1 AND reason_code IS NOT NULL",
        batch,
    )
    assert tuple(row) == (2, "customer_deleted")
