"""What is known of a change: the customers that it was about, or that it may be about any."""

import asyncpg
import pytest

from services.api.reports.changes import changed_customers
from services.api.reports.store import version

INVOICE = """INSERT INTO invoices
    (business_id, id, customer_id, number, kind, status, issue_date, total)
    SELECT 1, n, {customer}, 'N', 'invoice', 'issued', '2024-11-05', 10
    FROM generate_series({ids}) n"""
PAYMENT = """INSERT INTO payments (business_id, id, invoice_id, paid_on, amount, channel, status)
    SELECT 1, n, n, '2024-11-06', 4, 'manual', 'settled' FROM generate_series({ids}) n"""
BEGIN = f"""
DELETE FROM payments;
DELETE FROM invoices;
DELETE FROM deposits;
DELETE FROM customers;
DELETE FROM categories WHERE id > 1;
DELETE FROM businesses;
INSERT INTO businesses (id, owner_id, name, currency, timezone)
    SELECT n, 1, 'One', 'EUR', 'UTC' FROM generate_series(1, 2) n;
INSERT INTO categories (id, business_id, name) VALUES (2, 1, 'Trade');
INSERT INTO customers (id, business_id, owner_id) SELECT n, 1, 1 FROM generate_series(1, 40) n;
INSERT INTO customers (id, business_id, owner_id) VALUES (7, 2, 1);
{INVOICE.format(customer="n % 40 + 1", ids="1, 80")};
{PAYMENT.format(ids="1, 80")};
INSERT INTO deposits (business_id, id, customer_id, entry_date, amount, type)
    SELECT 1, n, n, '2024-11-06', 4, 'credit' FROM generate_series(1, 40) n;
"""
ONE = (
    "BEGIN; UPDATE customers SET archived = 1 - archived WHERE id = {} AND business_id = 1; COMMIT"
)
KNOWN = {
    INVOICE.format(customer="3", ids="900, 900"): {3},
    INVOICE.format(customer="1 + n % 4", ids="900, 907"): {1, 2, 3, 4},
    "UPDATE invoices SET total = 9 WHERE id = 4": {5},
    "UPDATE invoices SET customer_id = 9 WHERE id = 4": {5, 9},
    "UPDATE invoices SET status = 'void' WHERE id = 4": {5},
    "UPDATE invoices SET status = 'void' WHERE id = 4; UPDATE invoices SET status = 'issued'"
    " WHERE id = 4": {5},
    "UPDATE invoices SET number = 'M' WHERE id = 4": set(),
    "UPDATE payments SET amount = 9 WHERE id = 4": {5},
    "UPDATE payments SET invoice_id = 5 WHERE id = 4": {5, 6},
    "DELETE FROM payments WHERE id = 4": {5},
    "DELETE FROM payments WHERE id = 4; DELETE FROM invoices WHERE id = 4": {5},
    "INSERT INTO deposits (business_id, id, customer_id, entry_date, amount, type)"
    " VALUES (1, 99, 5, '2024-11-06', 4, 'debit')": {5},
    "UPDATE deposits SET customer_id = 6 WHERE id = 5": {5, 6},
    "DELETE FROM deposits WHERE id = 5": {5},
    "INSERT INTO customers (id, business_id, owner_id) VALUES (41, 1, 1)": {41},
    "UPDATE customers SET category_id = 2 WHERE id = 6": {6},
    "UPDATE customers SET opening_balance = 2 WHERE id IN (6, 7)": {6, 7},
    "DELETE FROM deposits WHERE id = 5; DELETE FROM payments WHERE invoice_id IN (4, 44);"
    " DELETE FROM invoices WHERE customer_id = 5; DELETE FROM customers WHERE id = 5": {5},
    "BEGIN; UPDATE invoices SET total = 9 WHERE id = 4; ROLLBACK": set(),
    "BEGIN; UPDATE invoices SET total = 9 WHERE id = 4; SAVEPOINT s;"
    " UPDATE invoices SET total = 9 WHERE id = 5; ROLLBACK TO s; COMMIT": {5},
    "BEGIN ISOLATION LEVEL REPEATABLE READ; UPDATE invoices SET total = 9 WHERE id = 4;"
    " UPDATE invoices SET total = 9 WHERE id = 5; COMMIT": {5, 6},
    ";".join(ONE.format(n) for n in range(1, 17)): set(range(1, 17)),
    "UPDATE invoices SET total = 9 WHERE id BETWEEN 1 AND 16": set(range(2, 18)),
}
UNKNOWN = [
    INVOICE.format(customer="3", ids="900, 920"),
    "UPDATE invoices SET total = 9 WHERE id BETWEEN 1 AND 21",
    "UPDATE payments SET amount = 9 WHERE id BETWEEN 1 AND 21",
    "UPDATE deposits SET amount = 9 WHERE id BETWEEN 1 AND 21",
    "UPDATE customers SET opening_balance = 2 WHERE id BETWEEN 1 AND 21",
    "UPDATE invoices SET total = 9 WHERE id BETWEEN 1 AND 17",
    (
        "BEGIN; UPDATE customers SET archived = 1 WHERE id BETWEEN 1 AND 21;"
        " UPDATE invoices SET total = 9 WHERE id = 4; COMMIT"
    ),
    (
        "BEGIN; UPDATE invoices SET total = 9 WHERE id = 4;"
        " UPDATE customers SET archived = 1 WHERE id BETWEEN 1 AND 21; COMMIT"
    ),
    ";".join(ONE.format(n) for n in range(1, 18)),
    "UPDATE categories SET name = 'Retail' WHERE business_id = 1 AND id = 2",
    "INSERT INTO categories (id, business_id, name) VALUES (3, 1, 'Retail')",
    "TRUNCATE payments",
    "TRUNCATE deposits",
    "TRUNCATE invoices CASCADE",
    "DELETE FROM report_versions; UPDATE customers SET archived = 1 WHERE id = 4",
]


@pytest.fixture
async def conn(database: str) -> asyncpg.Connection:
    conn = await asyncpg.connect(database)
    await conn.execute(BEGIN)
    return conn


async def _after(conn: asyncpg.Connection, change: str) -> str:
    """Make a change of the ledger as it begins, and return the version before."""
    await conn.execute(BEGIN)
    before = await version(conn, 1)
    for statement in change.split(";"):
        await conn.execute(statement)
    return before


async def test_a_small_change_says_whom_it_was_about(conn: asyncpg.Connection) -> None:
    for change, customers in KNOWN.items():
        before = await _after(conn, change)
        assert await changed_customers(conn, 1, before) == customers, change
        assert await changed_customers(conn, 1, await version(conn, 1)) == set(), change


async def test_any_other_change_may_be_about_anybody(conn: asyncpg.Connection) -> None:
    for change in UNKNOWN:
        before = await _after(conn, change)
        assert await changed_customers(conn, 1, before) is None, change
        after = await version(conn, 1)
        await conn.execute(ONE.format(8))
        assert await changed_customers(conn, 1, after) == {8}, change


async def test_another_business_is_not_concerned(conn: asyncpg.Connection) -> None:
    before = await version(conn, 1), await version(conn, 2)
    await conn.execute("UPDATE customers SET archived = 1 WHERE business_id = 2")
    assert await changed_customers(conn, 1, before[0]) == set()
    assert await changed_customers(conn, 2, before[1]) == {7}


async def test_writers_at_once_are_all_noted_until_their_slots_are_joined(
    conn: asyncpg.Connection, database: str
) -> None:
    before = await version(conn, 1)
    writers = [await asyncpg.connect(database) for _ in range(20)]
    for place, writer in enumerate(writers, 1):
        await writer.execute("BEGIN")
        await writer.execute(
            "UPDATE customers SET archived = 1 WHERE business_id = 1 AND id = $1", place
        )
    for writer in writers:
        await writer.execute("COMMIT")
        await writer.close()
    assert await changed_customers(conn, 1, before) == set(range(1, 21))
    slots = "SELECT count(*) FROM report_versions WHERE business_id = 1"
    while await conn.fetchval(slots) > 16:
        between = await version(conn, 1)
        await conn.execute(ONE.format(30))
    # What the deleted slots said is lost, so nobody may rely on the others.
    assert await changed_customers(conn, 1, before) is None
    assert await changed_customers(conn, 1, between) is None
    assert await changed_customers(conn, 1, await version(conn, 1)) == set()


async def test_what_a_slot_said_that_came_and_went_is_unknown(conn: asyncpg.Connection) -> None:
    slots = "SELECT count(*) FROM report_versions WHERE business_id = 1"
    joined = 0
    while joined < 3:
        await conn.execute("DELETE FROM report_versions")
        await conn.execute(ONE.format(20))
        before = await version(conn, 1)
        for number in range(1, 18):
            change = ONE.format(number).replace("BEGIN", "BEGIN ISOLATION LEVEL REPEATABLE READ")
            await conn.execute(change)
        assert await changed_customers(conn, 1, before) == set(range(1, 18))
        await conn.execute(ONE.format(30))  # one of sixteen changes joins slots
        if await conn.fetchval(slots) == 16:
            joined += 1
            assert await changed_customers(conn, 1, before) is None


async def test_a_version_of_another_history_is_unknown(conn: asyncpg.Connection) -> None:
    """Such as that of a primary whose last commits a replica lost before it took its place."""
    await conn.execute("UPDATE customers SET archived = 1 WHERE business_id = 1 AND id = 4")
    now = await version(conn, 1)
    slot, at = now.split("-")[0].split(".")
    lost = now.replace(f"{slot}.{at}", f"{slot}.{int(at) - 1}")
    await conn.execute("UPDATE customers SET archived = 0 WHERE business_id = 1 AND id = 4")
    assert await changed_customers(conn, 1, lost) is None
    assert await changed_customers(conn, 1, f"{now}-99999.5") is None


async def test_a_version_without_a_note_ends_what_is_known(conn: asyncpg.Connection) -> None:
    """Such as by a writer that waited in `note_change` as it was before, while it was replaced."""
    silent = "UPDATE report_versions SET version = version + 1, changed_by = pg_current_xact_id()"
    before = await _after(conn, ONE.format(4))
    between = await version(conn, 1)
    await conn.execute(silent)
    after = await version(conn, 1)
    for change, customers in ((ONE.format(5), {5}), (ONE.format(6), {5, 6})):
        assert await changed_customers(conn, 1, before) is None
        assert await changed_customers(conn, 1, between) is None
        await conn.execute(change)
        assert await changed_customers(conn, 1, after) == customers
    later = await version(conn, 1)
    await conn.execute(f"BEGIN; {silent}; {ONE.format(7).split(';')[1]}; COMMIT")
    for known in (before, after, later):
        assert await changed_customers(conn, 1, known) is None
    assert await changed_customers(conn, 1, await version(conn, 1)) == set()
