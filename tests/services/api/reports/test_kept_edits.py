"""Every way to edit the ledger, and sums that are too large for a slot."""

import asyncio
from datetime import date
from decimal import Decimal

import asyncpg
import pytest
from click.testing import CliRunner, Result

from services.api.ledger.commands import rebuild, verify
from services.api.ledger.verification import prove
from services.api.reports.model import ReportQuery
from shared.period import Period
from tests.services.api.reports.base_tables import assert_as_in_sql, load
from tests.services.api.reports.columns import assert_as_cash

ALWAYS = date(1, 1, 2), date(9999, 12, 30)
MOST = Decimal("99999999999999.9999")


async def assert_exact(conn: asyncpg.Connection) -> None:
    ledger = await load(conn)
    for business in (1, 2):
        await assert_as_in_sql(conn, business, *ALWAYS)
        await assert_as_in_sql(conn, business, date(2024, 11, 2), date(2024, 11, 11))
        for start, end in (ALWAYS, (date(2024, 11, 2), date(2024, 12, 11))):
            await assert_as_cash(conn, ReportQuery(business, Period(start, end)), ledger)
    async for proof in prove(conn):
        assert not proof.differences, proof


@pytest.fixture
async def conn(golden: str) -> asyncpg.Connection:
    return await asyncpg.connect(golden)


WAYS = {
    "as it comes": "SELECT 1",
    "one by one": "CREATE OR REPLACE FUNCTION are_few(rows_changed bigint) RETURNS boolean"
    " LANGUAGE sql IMMUTABLE AS 'SELECT true'",
    "at once, looked up": "CREATE OR REPLACE FUNCTION are_few(rows_changed bigint) RETURNS boolean"
    " LANGUAGE sql IMMUTABLE AS 'SELECT false'; CREATE OR REPLACE FUNCTION"
    " are_a_good_part(rows_changed bigint) RETURNS boolean LANGUAGE sql STABLE AS 'SELECT false'",
    "at once, hashed": "CREATE OR REPLACE FUNCTION are_few(rows_changed bigint) RETURNS boolean"
    " LANGUAGE sql IMMUTABLE AS 'SELECT false'",
}

# An edit of the golden ledger changes fewer rows than are many: as it comes, it is one by one.
FORCED = [way for way in WAYS if way != "as it comes"]

SECOND_PAYMENTS = """INSERT INTO payments
    (id, business_id, invoice_id, paid_on, amount, channel, status)
    SELECT id + 5000, business_id, invoice_id, paid_on + 7, amount / 2, 'online', 'settled'
    FROM payments"""


@pytest.mark.parametrize(
    "edit",
    [
        "UPDATE invoices SET issue_date = issue_date - 400",
        "UPDATE invoices SET status = 'issued'",
        "UPDATE invoices SET kind = 'credit_note' WHERE kind = 'invoice'",
        "UPDATE invoices SET customer_id = 1 WHERE business_id = 1",
        "UPDATE invoices SET total = total / 2",
        "UPDATE invoices SET due_date = coalesce(due_date + 1, issue_date)",
        "UPDATE payments SET status = 'settled'",
        "UPDATE payments SET paid_on = paid_on + 3",
        "UPDATE payments SET paid_on = paid_on + id::int % 40",
        SECOND_PAYMENTS,
        SECOND_PAYMENTS + "; DELETE FROM payments WHERE id < 5000",
        SECOND_PAYMENTS + "; UPDATE invoices SET status = 'void' WHERE id % 2 = 0",
        SECOND_PAYMENTS + "; UPDATE payments SET amount = 60000000000000 WHERE id > 5000",
        "UPDATE payments SET channel = 'online', amount = -amount",
        "UPDATE payments SET invoice_id = 12 WHERE business_id = 1",
        "DELETE FROM payments",
        "DELETE FROM payments; DELETE FROM invoices; DELETE FROM deposits; DELETE FROM customers",
        "UPDATE deposits SET type = 'debit'",
        "TRUNCATE payments",
        "TRUNCATE deposits",
        "TRUNCATE invoices, payments",
        "TRUNCATE businesses CASCADE",
        "UPDATE customers SET first_name = E'\"\\\\\\t\\u2028', archived = 1 - archived",
        "UPDATE categories SET name = name || '\"'",
    ],
)
@pytest.mark.parametrize("way", FORCED)
async def test_an_edit_reaches_every_figure(conn: asyncpg.Connection, edit: str, way: str) -> None:
    await conn.execute(WAYS[way])
    await conn.execute(edit)
    await assert_exact(conn)
    await conn.close()


async def test_a_temporary_table_of_the_writer_takes_the_place_of_none(
    conn: asyncpg.Connection,
) -> None:
    tables = (
        *("kept_documents", "kept_periods", "kept_totals", "kept_open_parts"),
        *("payments", "invoices"),
    )
    for table in tables:
        await conn.execute(f"CREATE TEMP TABLE {table} (LIKE public.{table} INCLUDING ALL)")
    await conn.execute("UPDATE public.payments SET amount = amount + 1, status = 'settled'")
    await conn.execute("UPDATE public.invoices SET total = total + 1, status = 'issued'")
    for table in tables:
        assert await conn.fetchval(f"SELECT count(*) FROM pg_temp.{table}") == 0
        await conn.execute(f"DROP TABLE pg_temp.{table}")
    await assert_exact(conn)
    await conn.close()


@pytest.mark.parametrize("way", WAYS)
async def test_one_statement_writes_a_document_and_its_payment(
    conn: asyncpg.Connection, way: str
) -> None:
    await conn.execute(WAYS[way])
    await conn.execute(
        """WITH document AS (
            INSERT INTO invoices
                (business_id, id, customer_id, number, kind, status, issue_date, total)
            VALUES (1, 901, 1, 'N', 'invoice', 'issued', '2024-11-05', 10)
        ), moved AS (
            UPDATE invoices SET issue_date = '2024-11-03' WHERE business_id = 1 AND id = 12
        )
        INSERT INTO payments (business_id, id, invoice_id, paid_on, amount, channel, status)
        VALUES (1, 901, 901, '2024-11-30', 10, 'online', 'settled')"""
    )
    await assert_exact(conn)
    await conn.close()


@pytest.mark.parametrize("way", WAYS)
async def test_sums_beyond_64_bits_stay_exact(conn: asyncpg.Connection, way: str) -> None:
    await conn.execute(WAYS[way])
    invoices = [
        (1, 1000 + n, 1, "N", "invoice", "issued", date(2024, 11, 5), MOST) for n in range(40)
    ]
    columns = [
        *("business_id", "id", "customer_id", "number"),
        *("kind", "status", "issue_date", "total"),
    ]
    await conn.copy_records_to_table("invoices", records=invoices, columns=columns)
    payments = [
        (1, 1000 + n, 1000, date(2024, 11, 6), MOST, "manual", "settled") for n in range(25)
    ]
    columns = ["business_id", "id", "invoice_id", "paid_on", "amount", "channel", "status"]
    await conn.copy_records_to_table("payments", records=payments[:20], columns=columns)
    for payment in payments[20:]:
        await conn.copy_records_to_table("payments", records=[payment], columns=columns)
    await assert_exact(conn)
    await conn.execute("DELETE FROM payments WHERE id >= 1010")
    await conn.execute("UPDATE invoices SET issue_date = '2024-11-07' WHERE id >= 1000")
    await assert_exact(conn)
    await conn.close()


async def run(command: object, dsn: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, command, [], obj={"DATABASE_URL": dsn})


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        ("UPDATE kept_periods SET billed = billed + 1", "in 20241100"),
        ("UPDATE kept_periods SET received_online = received_online + 1", "in 20241600"),
        ("DELETE FROM kept_periods WHERE customer_id = -1", "customer -1"),
        ("UPDATE kept_documents SET paid_day = paid_day + 1", "invoice 12"),
        ("DELETE FROM kept_totals WHERE business_id = 2", "of business 2: kept nothing"),
        ("UPDATE kept_documents SET manual = manual + 1 WHERE invoice_id = 12", "invoice 12"),
        ("DELETE FROM kept_documents", "kept nothing"),
        ("TRUNCATE kept_documents, kept_periods, kept_totals", "kept nothing"),
        ("UPDATE kept_open_parts SET units = units + 1", "open parts of invoice 12"),
        ("DELETE FROM kept_open_parts", "kept nothing"),
        ("INSERT INTO kept_totals VALUES (1, 77, DEFAULT, 5, 5)", "customer 77"),
        ("UPDATE invoices SET issue_date = issue_date + 40", "invoice 12"),
    ],
)
async def test_rebuild_mends_what_verify_finds_while_others_write(
    golden: str, conn: asyncpg.Connection, damage: str, found: str
) -> None:
    async with conn.transaction():
        await conn.execute("SET LOCAL session_replication_role = replica")
        await conn.execute(damage)
    broken = await run(verify, golden)
    assert broken.exit_code == 1
    assert found in broken.stdout
    writer = await asyncpg.connect(golden)
    await writer.execute("BEGIN")
    await writer.execute(
        "INSERT INTO invoices VALUES (900, 1, 1, 'N', 'invoice', 'issued', '2024-11-05', NULL, 7)"
    )
    mended = await run(rebuild, golden)
    assert mended.exit_code == 0, mended.output
    await writer.execute("COMMIT")
    await writer.close()
    assert (await run(verify, golden)).exit_code == 0
    await assert_exact(conn)
    await conn.close()
