"""Reads the base tables, and nothing else, for the two independent models of the report."""

from datetime import date
from pathlib import Path
from typing import Any

import asyncpg

from services.api.reports import store
from services.api.reports.model import ReportQuery
from shared.period import Period
from tests.services.api.reports import columns
from tests.services.api.reports.naive_model import Customer, Deposit, Document, Ledger, Payment
from tests.services.api.reports.rows import as_on_the_wire, as_pairs

_NAIVE = Path(__file__).with_name("naive_report.sql").read_text("utf-8")
_TYPES = {"customers": Customer, "invoices": Document, "payments": Payment, "deposits": Deposit}


async def load(conn: asyncpg.Connection) -> Ledger:
    ledger = Ledger()
    for row in await conn.fetch("SELECT * FROM categories"):
        ledger.categories[row["business_id"], row["id"]] = row["name"]
    for table, kind in _TYPES.items():
        fields = list(kind.__dataclass_fields__)
        rows = await conn.fetch(f"SELECT business_id, id, {', '.join(fields)} FROM {table}")
        for row in rows:
            record = kind(**{name: row[name] for name in fields})
            vars(ledger)[table][row["business_id"], row["id"]] = record
    return ledger


async def served(conn: asyncpg.Connection, business: int, start: date, end: date) -> bytes:
    pieces: list[bytes] = []

    async def write(piece: bytes) -> None:
        pieces.append(piece)

    query = ReportQuery(business, Period(start, end))
    await store.income_by_customers(conn, query, write, timeout=60)
    return b"".join(pieces)


async def assert_as_in_python(conn: asyncpg.Connection, start: date, end: date) -> None:
    """Compare all businesses' reports with the model in Python; nobody may write meanwhile."""
    ledger = await load(conn)
    for business in [row["id"] for row in await conn.fetch("SELECT id FROM businesses")]:
        expected = as_pairs(ledger.report(business, start, end))
        shown: Any = as_on_the_wire(await served(conn, business, start, end))
        assert repr(shown) == repr(expected), f"{shown}\n{expected}"
        query = ReportQuery(business, Period(start, end))
        await columns.assert_as_json(conn, query, shown)
        await columns.assert_as_cash(conn, query, ledger)
        for row in expected:
            text = await store.income_by_customer(conn, query, int(row[0][1]))
            assert text is not None
            assert repr(as_on_the_wire(text)) == repr(row)


async def assert_as_in_sql(conn: asyncpg.Connection, business: int, start: date, end: date) -> None:
    """Compare a business's report, byte by byte, with the one computed from the base tables."""
    rows = await conn.fetch(_NAIVE, business, start, end, 0, 2**63 - 1)
    expected = "".join(f",{row[0]}\n" for row in rows)[1:]
    assert (await served(conn, business, start, end)).decode() == f"[{expected}]"
