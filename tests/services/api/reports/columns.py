"""Reads the report's figures as columns, and shows them as the JSON does."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import asyncpg

from services.api.reports.basis import Basis
from services.api.reports.model import ReportQuery
from services.api.reports.query import BOUNDED, EXACT, Counting, figures, literals
from services.api.reports.row import Row
from tests.services.api.reports.naive_model import Ledger, number

FIELDS = {name: field.alias or name for name, field in Row.model_fields.items()}
MONEY = {
    "deposit_amount",
    "amount_due",
    "balance",
    "amount_paid",
    "online_amount_paid",
    "owing",
    "total_paid",
}
ACTIVITY = {"documents", "receipts"}
# Fields that basis=cash changes, and some that it does not.
CASH = [
    *("amount_paid", "online_amount_paid", "total_paid"),
    *("owing", "amount_due", "balance", "invoice_count", "average_payment_terms"),
    *ACTIVITY,
]
# The bound of a sum that is counted in machine integers (migration 0018), less some margin.
LARGE = 150_000_000_000
TURNOVER = """
    SELECT coalesce(sum(abs(amount)), 0) FROM (
        SELECT opening_balance AS amount FROM customers WHERE business_id = $1
        UNION ALL SELECT total FROM invoices WHERE business_id = $1
        UNION ALL SELECT amount FROM payments WHERE business_id = $1
        UNION ALL SELECT amount FROM deposits WHERE business_id = $1
    ) amounts
"""


async def read(
    conn: asyncpg.Connection, query: ReportQuery, counting: Counting
) -> list[asyncpg.Record]:
    table = figures(literals(query), counting)
    return await conn.fetch(f"{table} SELECT * FROM figures ORDER BY balance DESC, id")


async def assert_as_cash(conn: asyncpg.Connection, query: ReportQuery, ledger: Ledger) -> None:
    """Compare what goes by the dates of payments, and what does not, with the model."""
    period = query.period
    expected = {
        customer: ledger.row(query.business_id, customer, period.start, period.end)
        | ledger.cash(query.business_id, customer, period.start, period.end)
        for business, customer in ledger.customers
        if business == query.business_id
    }
    for counting in (EXACT, BOUNDED):
        table = figures(literals(query), counting, Basis.CASH, activity=True)
        try:
            rows = await conn.fetch(f"{table} SELECT * FROM figures")
        except asyncpg.NumericValueOutOfRangeError:
            assert counting is BOUNDED
            assert await conn.fetchval(TURNOVER, query.business_id) > LARGE
            continue
        assert len(rows) == len(expected)
        for row in rows:
            for name in CASH:
                shown = row[name] if name in ACTIVITY else _value(name, row[name])
                assert shown == expected[row["id"]][name], (name, row["id"], counting)


async def assert_as_json(conn: asyncpg.Connection, query: ReportQuery, rows: list[Any]) -> None:
    """Compare the columns, counted in either way, with what the list's JSON showed."""
    exact = [_shown(record) for record in await read(conn, query, EXACT)]
    assert repr(exact) == repr(rows)
    try:
        bounded = [_shown(record) for record in await read(conn, query, BOUNDED)]
    except asyncpg.NumericValueOutOfRangeError:
        # Some sum behind the figures is large; a figure itself may be a small difference of two.
        assert await conn.fetchval(TURNOVER, query.business_id) > LARGE
    else:
        assert repr(bounded) == repr(rows)


def _shown(record: asyncpg.Record) -> list[tuple[str, Any]]:
    return [(alias, _value(name, record[name])) for name, alias in FIELDS.items()]


def _value(name: str, value: Any) -> Any:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, datetime | date):
        return str(value)
    exact = Decimal(str(value))
    return number(exact.scaleb(-4) if name in MONEY else exact)
