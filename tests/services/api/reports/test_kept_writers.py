"""Concurrent writers: none waits for another, and no figures are lost."""

import asyncio
import random
from datetime import date
from typing import Any

import asyncpg
import pytest

from services.api.ledger.verification import prove
from tests.services.api.reports.base_tables import assert_as_in_python

BEGIN = """
INSERT INTO businesses (id, owner_id, name, currency, timezone) VALUES (1, 1, 'One', 'EUR', 'UTC');
INSERT INTO customers (id, business_id, owner_id, created_at, updated_at)
    SELECT n, 1, 1, '2024-01-01', '2024-01-01' FROM generate_series(1, 5) n;
"""
INVOICE = """INSERT INTO invoices
    (business_id, id, customer_id, number, kind, status, issue_date, total)
    VALUES (1, $1, $2, 'N', 'invoice', 'issued', $3, 10)"""
PAYMENT = """INSERT INTO payments (business_id, id, invoice_id, paid_on, amount, channel, status)
    VALUES (1, $1, $2, '2024-06-01', 4, 'manual', 'settled')"""
DAY = date(2024, 5, 5)


@pytest.fixture
async def ledger(database: str) -> str:
    conn = await asyncpg.connect(database)
    await conn.execute(BEGIN)
    await conn.close()
    return database


async def connect(dsn: str, **settings: str) -> asyncpg.Connection:
    return await asyncpg.connect(dsn, server_settings=settings)


async def assert_exact(dsn: str) -> None:
    conn = await connect(dsn)
    await assert_as_in_python(conn, date(2024, 1, 1), date(2024, 12, 31))
    await assert_as_in_python(conn, date(2024, 5, 3), date(2024, 5, 6))
    async for proof in prove(conn):
        assert not proof.differences
    await conn.close()


@pytest.mark.parametrize("isolation", ["read committed", "repeatable read"])
async def test_an_open_transaction_holds_back_no_other_writer(ledger: str, isolation: str) -> None:
    settings = {"lock_timeout": "1s", "default_transaction_isolation": isolation}
    writers = [await connect(ledger, **settings) for _ in range(4)]
    for place, writer in enumerate(writers):
        await writer.execute("BEGIN")
        for customer in random.Random(place).sample(range(1, 6), 5):
            await writer.execute(INVOICE, 100 * place + customer, customer, DAY)
            await writer.execute(PAYMENT, 100 * place + customer, 100 * place + customer)
    for writer in writers:
        await writer.execute("COMMIT")
        await writer.close()
    await assert_exact(ledger)


async def test_a_snapshot_older_than_another_s_commit_fails_no_writer(ledger: str) -> None:
    old = await connect(ledger, default_transaction_isolation="repeatable read")
    other = await connect(ledger)
    await other.execute(INVOICE, 1, 1, DAY)
    await old.execute("BEGIN")
    await old.fetch("SELECT FROM invoices")  # takes the snapshot
    await other.execute(INVOICE, 2, 1, DAY)
    await old.execute(INVOICE, 3, 1, DAY)
    await old.execute("COMMIT")
    await old.close()
    await other.close()
    await assert_exact(ledger)


async def test_writers_of_the_same_customers_meet_no_deadlock(ledger: str) -> None:
    async def write(place: int) -> None:
        chance = random.Random(place)
        conn = await connect(ledger)
        for turn in range(15):
            async with conn.transaction():
                for customer in chance.sample(range(1, 6), 3):
                    number = place * 1000 + turn * 10 + customer
                    await conn.execute(INVOICE, number, customer, DAY)
                    await conn.execute(PAYMENT, number, number)
                    await conn.execute(
                        "UPDATE invoices SET issue_date = issue_date + $1::int WHERE id = $2",
                        chance.randint(-90, 90),
                        number,
                    )
        await conn.close()

    await asyncio.gather(*(write(place) for place in range(1, 7)))
    await assert_exact(ledger)
    # Slots stay few: those who find spare ones make one of them.
    conn = await connect(ledger)
    for table, key in (("kept_totals", "customer_id"), ("report_versions", "business_id")):
        query = f"SELECT max(n) FROM (SELECT count(*) n FROM {table} GROUP BY {key}) slots"
        assert await conn.fetchval(query) <= 32
    await conn.close()


async def test_two_payments_at_once_settle_an_invoice_together(ledger: str) -> None:
    first, second = await connect(ledger), await connect(ledger)
    await first.execute(INVOICE, 1, 1, DAY)
    await first.execute("BEGIN")
    await first.execute(PAYMENT.replace("4,", "5,"), 1, 1)
    waiting = asyncio.create_task(second.execute(PAYMENT.replace("4,", "5,"), 2, 1))
    await asyncio.sleep(0.2)
    assert not waiting.done()
    await first.execute("COMMIT")
    await waiting
    assert await first.fetchval("SELECT sum(paid_in_full) FROM kept_documents") == 1
    await first.close()
    await second.close()
    await assert_exact(ledger)


MOVES: list[tuple[str, str]] = [
    ("UPDATE invoices SET issue_date = '2024-07-07'", "read committed"),
    ("UPDATE invoices SET customer_id = 2", "repeatable read"),
    ("UPDATE invoices SET status = 'draft'", "serializable"),
]


@pytest.mark.parametrize(("move", "isolation"), MOVES)
@pytest.mark.parametrize("first_comes", ["move", "payment"])
async def test_a_payment_meets_a_move_of_its_invoice(
    ledger: str, move: str, isolation: str, first_comes: str
) -> None:
    settings = {"default_transaction_isolation": isolation}
    mover, payer = await connect(ledger, **settings), await connect(ledger, **settings)
    await mover.execute(INVOICE, 1, 1, DAY)
    steps: list[tuple[asyncpg.Connection, str, list[Any]]] = [
        (mover, move, []),
        (payer, PAYMENT, [1, 1]),
    ]
    if first_comes == "payment":
        steps.reverse()
    for conn in (mover, payer):
        await conn.execute("BEGIN")
        await conn.fetch("SELECT FROM invoices")  # takes the snapshot
    (one, *first), (other, *second) = steps
    await one.execute(first[0], *first[1])
    waiting = asyncio.create_task(other.execute(second[0], *second[1]))
    await asyncio.sleep(0.2)
    await one.execute("COMMIT")
    try:
        await waiting
        await other.execute("COMMIT")
    except asyncpg.SerializationError:
        assert isolation != "read committed"
    await mover.close()
    await payer.close()
    await assert_exact(ledger)
