"""Ledgers for the benchmarks: written without triggers; the kept figures are built afterwards."""

import secrets
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg

from services.api.access import store
from services.api.core.refusals import SCOPES
from shared.db.migrate import migrate

_FILL = """
SET session_replication_role = replica;
SELECT setseed(0.4);
INSERT INTO businesses (id, owner_id, name, currency, timezone)
    VALUES (1, 1, 'One', 'EUR', 'UTC');
INSERT INTO categories (id, business_id, name)
    VALUES (1, 1, 'Uncategorised'), (2, 1, 'Retail'), (3, 1, 'Trade'), (4, 1, 'Public');
INSERT INTO customers (id, business_id, owner_id, first_name, last_name, phone_number,
        business_name, business_address, business_phone, business_location, business_email,
        account_id, category_id, opening_balance, archived, created_at, updated_at)
    SELECT n, 1, 1, 'First' || n, 'Last' || n, '+49 30 ' || n, 'Customer ' || n || ' GmbH',
        n || ' Long Street, 10115 Berlin', '+49 30 1' || n, 'Berlin',
        'billing@customer' || n || '.example', 100000 + n, 1 + n % 4, n % 100 * 10.5,
        (n % 50 = 0)::int, '2020-01-01', '2020-01-01'
    FROM generate_series(1, {customers}) n;
INSERT INTO invoices (id, business_id, customer_id, number, kind, status, issue_date, due_date, total)
    SELECT n, 1, 1 + floor(random() * {customers}), 'INV-' || n,
        CASE WHEN random() < 0.05 THEN 'credit_note' ELSE 'invoice' END,
        CASE WHEN random() < 0.95 THEN 'issued' ELSE 'draft' END,
        day, day + 30, round((random() * 2000)::numeric, 2)
    FROM (
        SELECT n, '2020-01-01'::date + (n::bigint * 1826 / {invoices})::int AS day
        FROM generate_series(1, {invoices}) n
    ) documents;
INSERT INTO payments (id, business_id, invoice_id, paid_on, amount, channel, status)
    SELECT id, 1, id, issue_date + floor(random() * 60)::int,
        CASE WHEN random() < 0.8 THEN total ELSE round(total / 2, 2) END,
        CASE WHEN random() < 0.5 THEN 'manual' ELSE 'online' END,
        CASE WHEN random() < 0.97 THEN 'settled' ELSE 'pending' END
    FROM invoices WHERE id % 10 <> 0;
INSERT INTO deposits (id, business_id, customer_id, entry_date, amount, type)
    SELECT n, 1, n, '2022-01-01', n % 100, 'credit' FROM generate_series(1, {customers}) n;
SET session_replication_role = origin;
"""
# The same tables and keys, without the kept figures.
_BARE = """
DO $$
DECLARE
    found record;
BEGIN
    FOR found IN
        SELECT tgname, tgrelid::regclass AS ledger FROM pg_trigger
        WHERE NOT tgisinternal AND tgrelid::regclass::text <> 'businesses'
            AND (tgname ~ '^(keep|note|sum)_')
    LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', found.tgname, found.ledger);
    END LOOP;
END
$$;
ALTER TABLE customers DROP COLUMN report_head, DROP COLUMN report_middle,
    DROP COLUMN report_opening;
"""


async def create(server: str) -> str:
    """Return the address of a new, migrated database on the server."""
    name = f"bench_{secrets.token_hex(4)}"
    conn = await asyncpg.connect(server)
    await conn.execute(f'CREATE DATABASE "{name}"')
    await conn.close()
    dsn = urlsplit(server)._replace(path=f"/{name}").geturl()
    await migrate(dsn)
    return dsn


async def drop(server: str, dsn: str) -> None:
    """Delete the database."""
    conn = await asyncpg.connect(server)
    await conn.execute(f'DROP DATABASE "{urlsplit(dsn).path[1:]}" WITH (FORCE)')
    await conn.close()


async def fill(dsn: str, *, customers: int, invoices: int, then: str = "") -> str:
    """Write a ledger of five years, build its kept figures, and return a key to it.

    `then` are statements that change the ledger before its figures are built.
    """
    conn = await asyncpg.connect(dsn, command_timeout=None)
    await conn.execute(_FILL.format(customers=customers, invoices=invoices) + then)
    await conn.execute("ANALYZE")
    await conn.execute("SET work_mem = '256MB'")
    await conn.execute("INSERT INTO kept_documents SELECT * FROM counted_documents ORDER BY 1, 2")
    await conn.execute("ANALYZE kept_documents")
    for kind in ("periods", "totals"):
        await conn.execute(f"SELECT mend_{kind}()")
    parts = "SELECT * FROM counted_open_parts ORDER BY 1, 2, 3, 4, 5"
    await conn.execute(f"INSERT INTO kept_open_parts {parts}")
    await conn.execute("VACUUM ANALYZE")
    key = await store.create(conn, business_id=1, name="bench", scopes=SCOPES)
    await conn.close()
    return key.text


async def strip(dsn: str) -> None:
    """Remove the kept figures from a database."""
    conn = await asyncpg.connect(dsn)
    await conn.execute(_BARE)
    await conn.close()


async def export(dsn: str, folder: Path) -> None:
    """Write the ledger as the CSV files that `import` reads."""
    conn = await asyncpg.connect(dsn, command_timeout=None)
    for table in ("businesses", "customers", "invoices", "payments"):
        names = await conn.fetch(
            "SELECT attname FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0"
            " AND attgenerated = '' AND NOT attisdropped", table,
        )  # fmt: skip
        columns = ", ".join(
            "NULL::int AS category_id" if n[0] == "category_id" else n[0] for n in names
        )
        await conn.copy_from_query(
            f"SELECT {columns} FROM {table}",
            output=folder / f"{table}.csv",
            format="csv",
            header=True,
        )
    await conn.close()
