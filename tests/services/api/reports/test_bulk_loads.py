"""A bulk load: documents counted once, when all is written; and by no trick left uncounted."""

from datetime import date

import asyncpg
import pytest

from services.api.ledger.verification import prove
from tests.roles import acting
from tests.services.api.reports.base_tables import assert_as_in_python

LEDGER = """
INSERT INTO businesses (id, owner_id, name, currency, timezone)
    SELECT n, 1, 'B' || n, 'EUR', 'UTC' FROM generate_series(1, 2) n;
INSERT INTO customers (id, business_id, owner_id, created_at, updated_at)
    SELECT n, b, 1, '2024-01-01', '2024-01-01'
    FROM generate_series(1, 5) n, generate_series(1, 2) b;
"""
BEGIN = "INSERT INTO bulk_loads DEFAULT VALUES"
COUNT = "SET CONSTRAINTS count_bulk_load IMMEDIATE"
# Documents, and two payments on five of six of them, on one day or on two.
INVOICES = """INSERT INTO invoices
    (business_id, id, customer_id, number, kind, status, issue_date, due_date, total)
    SELECT 1 + n % 2, n, 1 + n % 5, 'N', CASE WHEN n % 7 = 0 THEN 'credit_note' ELSE 'invoice' END,
        CASE WHEN n % 6 = 0 THEN 'draft' ELSE 'issued' END,
        '2024-01-01'::date + n, '2024-02-01'::date + n, n
    FROM generate_series({first}, {last}) n"""
PAYMENTS = """INSERT INTO payments (business_id, id, invoice_id, paid_on, amount, channel, status)
    SELECT business_id, 2 * id + n, id, issue_date + (n * (id % 3))::int, total / 2,
        CASE WHEN id % 4 = 0 THEN 'online' ELSE 'manual' END,
        CASE WHEN id % 9 = 0 THEN 'pending' ELSE 'settled' END
    FROM invoices, generate_series(0, 1) n WHERE id % 6 <> 1 AND id BETWEEN {first} AND {last}"""
KEPT = "SELECT count(*) FROM kept_documents"
MOST_SLOTS = """SELECT max(n) FROM (
    SELECT count(*) n FROM kept_periods GROUP BY business_id, period, customer_id
) slots"""
HERE = {"first": 101, "last": 160}
ALL = date(1, 1, 1), date(9999, 12, 31)


@pytest.fixture
async def conn(database: str) -> asyncpg.Connection:
    """A connection to a ledger that has 40 documents already."""
    conn = await asyncpg.connect(database)
    await conn.execute(LEDGER)
    await conn.execute(INVOICES.format(first=1, last=40))
    await conn.execute(PAYMENTS.format(first=1, last=20))
    yield conn
    await conn.close()


async def assert_exact(conn: asyncpg.Connection) -> None:
    await assert_as_in_python(conn, *ALL)
    async for proof in prove(conn):
        assert not proof.differences, proof
    assert await conn.fetchval("SELECT count(*) FROM bulk_loads") == 0


async def test_documents_of_a_load_are_counted_when_it_commits(conn: asyncpg.Connection) -> None:
    version = await conn.fetchval("SELECT report_version(1)")
    async with conn.transaction():
        await conn.execute(BEGIN)
        await conn.execute(INVOICES.format(**HERE))
        await conn.execute(PAYMENTS.format(**HERE))
        assert await conn.fetchval(KEPT) == 40
    assert await conn.fetchval(KEPT) == 100
    assert await conn.fetchval("SELECT report_version(1)") != version
    await assert_exact(conn)


async def test_documents_are_counted_on_demand_and_those_after_it_at_once(
    conn: asyncpg.Connection,
) -> None:
    async with conn.transaction():
        await conn.execute(BEGIN)
        await conn.execute(INVOICES.format(**HERE))
        await conn.execute(PAYMENTS.format(**HERE))
        await conn.execute(COUNT)
        assert await conn.fetchval(KEPT) == 100
        await conn.execute(INVOICES.format(first=201, last=230))
        assert await conn.fetchval(KEPT) == 130
        await conn.execute(PAYMENTS.format(first=201, last=230))
    await assert_exact(conn)


BETWEEN = [
    "UPDATE invoices SET total = total + 1",
    "UPDATE invoices SET id = id + 1000 WHERE id % 6 = 1",
    "UPDATE payments SET amount = amount + 1",
    "UPDATE payments SET paid_on = paid_on + id::int % 4, channel = 'online'",
    "UPDATE payments SET invoice_id = 141 WHERE business_id = 2",
    "DELETE FROM payments WHERE id % 2 = 0",
    "DELETE FROM payments; DELETE FROM invoices WHERE id % 3 = 0",
    "TRUNCATE payments",
    "TRUNCATE payments, invoices",
    "DELETE FROM payments; DELETE FROM invoices; " + INVOICES.format(first=1, last=140),
    "DELETE FROM payments WHERE invoice_id = 101; DELETE FROM invoices WHERE id = 101; "
    + INVOICES.format(first=101, last=101),
    INVOICES.format(first=301, last=340)
    + ";"
    + PAYMENTS.format(first=21, last=340).replace("2 *", "20000 + 2 *"),
    "SAVEPOINT here; "
    + INVOICES.format(first=301, last=340)
    + "; ROLLBACK TO here; "
    + INVOICES.format(first=331, last=360),
    f"SAVEPOINT here; {COUNT}; ROLLBACK TO here; SET CONSTRAINTS ALL DEFERRED",
    f"{BEGIN}; {BEGIN}",
    COUNT,
]


@pytest.mark.parametrize(
    ("between", "isolation"),
    [
        *((each, "read_committed") for each in BETWEEN),
        *((each, "serializable") for each in BETWEEN[::4]),
    ],
)
async def test_no_write_in_a_load_leaves_a_figure_wrong(
    conn: asyncpg.Connection, between: str, isolation: str
) -> None:
    async with conn.transaction(isolation=isolation):
        await conn.execute(BEGIN)
        await conn.execute(INVOICES.format(**HERE))
        await conn.execute(PAYMENTS.format(**HERE))
        await conn.execute(between)
        await conn.execute(PAYMENTS.format(first=100, last=340).replace("2 *", "10000 + 2 *"))
    await assert_exact(conn)


async def test_a_load_small_beside_its_ledger_is_looked_up(conn: asyncpg.Connection) -> None:
    """The planner takes another way to the documents of a load if they are few among many."""
    await conn.execute(INVOICES.format(first=1001, last=30_000))
    async with conn.transaction():
        await conn.execute(BEGIN)
        await conn.execute(INVOICES.format(**HERE))
        await conn.execute(PAYMENTS.format(**HERE))
        await conn.execute(COUNT)
        assert not await conn.fetchval("SELECT are_most(60) OR are_a_good_part(60)")
    await assert_exact(conn)


async def test_sums_that_no_slot_can_hold_are_counted_all_the_same(
    conn: asyncpg.Connection,
) -> None:
    async with conn.transaction():
        await conn.execute(BEGIN)
        await conn.execute(
            INVOICES.format(first=201, last=400).replace(
                "'2024-02-01'::date + n, n", "NULL, 99999999999999.9999"
            )
        )
        # What is received on one document is more units than a bigint holds, as is what is billed.
        await conn.execute(
            """INSERT INTO payments (business_id, id, invoice_id, paid_on, amount, channel, status)
            SELECT 2, 1000 + n, 201, '2024-06-01', 99999999999999.9999, 'online', 'settled'
            FROM generate_series(1, 30) n"""
        )
    await assert_exact(conn)


async def test_a_load_takes_in_customers_of_periods_that_have_sums_already(
    conn: asyncpg.Connection,
) -> None:
    for first in (101, 201, 301):
        async with conn.transaction():
            await conn.execute(BEGIN)
            await conn.execute(
                INVOICES.format(first=first, last=first + 60).replace(
                    "'::date + n", "'::date + n % 90"
                )
            )
            await conn.execute(PAYMENTS.format(first=first, last=first + 60))
    assert await conn.fetchval(MOST_SLOTS) == 1
    await assert_exact(conn)


TRICKS = [
    "SET CONSTRAINTS ALL IMMEDIATE; " + BEGIN,
    # The load of a transaction that is not this one.
    "INSERT INTO bulk_loads (transaction) VALUES ('123456789')",
    """CREATE TEMP TABLE bulk_loads AS SELECT pg_current_xact_id() AS transaction, 1 AS id,
        NULL::bigint[] AS businesses, NULL::bigint[] AS invoices;
    SET search_path = pg_temp, public""",
    f"{BEGIN}; SAVEPOINT here; {COUNT}; ROLLBACK TO here",
    f"SAVEPOINT here; {BEGIN}; ROLLBACK TO here",
    "SET LOCAL ledgerpost.bulk_load = 'on'",
    f"{BEGIN}; DISCARD TEMP",
]


@pytest.mark.parametrize("trick", TRICKS)
async def test_nobody_leaves_figures_uncounted(
    conn: asyncpg.Connection, database: str, trick: str
) -> None:
    writer = await asyncpg.connect(acting(database, "ledger"))
    async with writer.transaction():
        await writer.execute(trick)
        await writer.execute(INVOICES.format(**HERE))
        await writer.execute(PAYMENTS.format(**HERE))
    await writer.close()
    assert await conn.fetchval(KEPT) == 100
    await assert_exact(conn)


@pytest.mark.parametrize(
    "touch",
    [
        "DELETE FROM bulk_loads",
        "UPDATE bulk_loads SET transaction = '1'",
        "SELECT FROM bulk_loads",
        "TRUNCATE bulk_loads",
        "INSERT INTO bulk_loads (invoices) VALUES ('{1}')",
        "ALTER TABLE bulk_loads DISABLE TRIGGER ALL",
        "SET session_replication_role = replica",
    ],
)
async def test_a_writer_of_the_ledger_can_only_begin_a_load(
    conn: asyncpg.Connection, database: str, touch: str
) -> None:
    writer = await asyncpg.connect(acting(database, "ledger"))
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await writer.execute(touch)
    await writer.close()
