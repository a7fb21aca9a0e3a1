"""Ledgers for the tests of the API: the golden one, a large one, and keys to them."""

from pathlib import Path

import asyncpg

from services.api.access import store
from services.api.core.refusals import SCOPES, Scope

GOLDEN = Path(__file__).parents[2] / "fixtures" / "golden"
TABLES = ("businesses", "categories", "customers", "invoices", "payments", "deposits")

_LARGE = """
INSERT INTO businesses (id, owner_id, name, currency, timezone)
    VALUES (1, 1, 'Large', 'EUR', 'UTC');
INSERT INTO customers (id, business_id, owner_id, business_name)
    SELECT n, 1, 1, 'Customer ' || n || repeat(' padding', 40)
    FROM generate_series(1, {customers}) n;
INSERT INTO invoices (id, business_id, customer_id, number, kind, status, issue_date, total)
    SELECT n, 1, 1 + n % {customers}, 'INV' || n, 'invoice', 'issued',
        '2024-11-01'::date + n % 30, n % 900
    FROM generate_series(1, {customers} * {each}) n;
INSERT INTO payments (id, business_id, invoice_id, paid_on, amount, channel, status)
    SELECT n, 1, n, '2024-12-01', n % 700, 'manual', 'settled'
    FROM generate_series(1, {customers} * {each}) n;
INSERT INTO deposits (id, business_id, customer_id, entry_date, amount, type)
    SELECT n, 1, n, '2024-12-01', n, 'credit' FROM generate_series(1, {customers}) n;
ANALYZE;
"""


async def load_golden(dsn: str) -> None:
    conn = await asyncpg.connect(dsn)
    try:
        for table in TABLES:
            path = GOLDEN / f"{table}.csv"
            columns = path.read_text("utf-8").split("\n", 1)[0].split(",")
            await conn.copy_to_table(table, source=path, columns=columns, format="csv", header=True)
    finally:
        await conn.close()


async def load_large(dsn: str, *, customers: int, each: int) -> None:
    conn = await asyncpg.connect(dsn)
    try:
        await conn.execute(_LARGE.format(customers=customers, each=each))
    finally:
        await conn.close()


async def new_key(dsn: str, business: int = 1, *scopes: Scope) -> str:
    conn = await asyncpg.connect(dsn)
    try:
        key = await store.create(conn, business_id=business, name="test", scopes=scopes or SCOPES)
        return key.text
    finally:
        await conn.close()
