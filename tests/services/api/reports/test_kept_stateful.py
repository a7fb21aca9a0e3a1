"""Any order of writes, by several connections with open transactions: every figure right."""

import asyncio
from collections.abc import Coroutine
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, TypeVar

import asyncpg
import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from services.api.core.query_string import parse_query
from services.api.ledger.verification import prove
from services.api.reports.model import ReportQuery
from services.api.views.summary import store
from services.api.views.summary.model import SummaryOptions
from services.api.views.summary.query import SummaryQuery
from shared.period import Period
from tests.examples import examples
from tests.services.api.reports.base_tables import assert_as_in_python
from tests.services.api.reports.test_kept_edits import WAYS
from tests.services.api.views.kept_parts import KeptParts

T = TypeVar("T")

_BEGIN = """
TRUNCATE businesses CASCADE;
INSERT INTO businesses (id, owner_id, name, currency, timezone)
    SELECT n, n, 'B' || n, 'EUR', 'UTC' FROM generate_series(1, 2) n;
INSERT INTO customers (id, business_id, owner_id, opening_balance, created_at, updated_at)
    SELECT n, b, 1, n, '2024-01-01', '2024-01-01'
    FROM generate_series(1, 3) n, generate_series(1, 2) b;
INSERT INTO invoices (id, business_id, customer_id, number, kind, status, issue_date, total)
    SELECT n, b, 1 + n % 3, 'N', 'invoice', 'issued', '2023-12-30'::date + n, 100
    FROM generate_series(1, 4) n, generate_series(1, 2) b;
"""
CONNECTIONS = st.integers(0, 2)
BUSINESS = st.integers(1, 2)
IDS = st.integers(1, 6)
DAYS = st.sampled_from([date(2023, 12, 31) + timedelta(n) for n in (0, 1, 2, 30, 60, 61, 366)])
AMOUNTS = st.sampled_from(["0", "0.0001", "50", "100", "99999999999999.9999"]).map(Decimal)
SIGNED = AMOUNTS | AMOUNTS.map(lambda amount: -amount)
KINDS = st.sampled_from(["invoice", "invoice", "credit_note"])
DOCUMENT_STATUS = st.sampled_from(["issued", "issued", "draft", "void"])
PAYMENT_STATUS = st.sampled_from(["settled", "settled", "pending", "failed"])
CHANNELS = st.sampled_from(["manual", "online"])

# Steps of a transaction that is a bulk load; each may come at any time, or be missing.
LOAD = (
    "INSERT INTO bulk_loads DEFAULT VALUES",
    "SAVEPOINT here",
    "ROLLBACK TO here",
    "SET CONSTRAINTS ALL IMMEDIATE",
    "SET CONSTRAINTS ALL DEFERRED",
)
STATEFUL_WAYS = {
    "as it comes": WAYS["as it comes"],
    "at once, looked up": WAYS["at once, looked up"],
    "at once, hashed": WAYS["at once, hashed"],
    "at once, all": WAYS["at once, hashed"] + "; CREATE OR REPLACE FUNCTION"
    " are_most(rows_changed bigint) RETURNS boolean LANGUAGE sql STABLE AS 'SELECT true'",
}


_SUMMARIES = [
    SummaryQuery(
        ReportQuery(business, period),
        parse_query(SummaryOptions, [("by", by), ("basis", basis), ("limit", "2")]),
        compared,
    )
    for business, period, by, basis, compared in (
        (1, Period(date(2023, 12, 31), date(2024, 3, 1)), "balance", "cash", None),
        (1, Period(date(2024, 1, 2), date(2024, 1, 30)), "amount_paid", "accrual", None),
        (2, Period(date(2024, 1, 1), date(2024, 12, 31)), "owing", "accrual",
         Period(date(2023, 1, 1), date(2023, 12, 31))),
    )
]  # fmt: skip


class Writers(RuleBasedStateMachine):
    dsn: str
    loop: asyncio.AbstractEventLoop
    writers: list[asyncpg.Connection]

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    async def connect(self) -> asyncpg.Connection:
        return await asyncpg.connect(self.dsn, server_settings={"lock_timeout": "50ms"})

    @initialize()
    def begin(self) -> None:
        self.reader = self.wait(asyncpg.connect(self.dsn))
        self.wait(self.reader.execute(_BEGIN))
        self.writers = [self.wait(self.connect()) for _ in range(3)]
        self.parts = KeptParts(_SUMMARIES)

    async def run(self, number: int, sql: str, *values: Any) -> None:
        conn = self.writers[number]
        try:
            await conn.execute(sql, *values)
        except asyncpg.PostgresError:
            # A constraint, a row that another one holds, or a serialization failure.
            if conn.is_in_transaction():
                await conn.execute("ROLLBACK")

    @rule(number=CONNECTIONS, isolation=st.sampled_from(["READ COMMITTED", "REPEATABLE READ"]))
    def open(self, number: int, isolation: str) -> None:
        if not self.writers[number].is_in_transaction():
            self.wait(self.run(number, f"BEGIN ISOLATION LEVEL {isolation}"))

    @rule(number=CONNECTIONS, how=st.sampled_from(["COMMIT", "COMMIT", "ROLLBACK"]))
    def end(self, number: int, how: str) -> None:
        if self.writers[number].is_in_transaction():
            self.wait(self.run(number, how))

    @rule(number=CONNECTIONS, step=st.sampled_from([*LOAD, *LOAD[:2]]))
    def load(self, number: int, step: str) -> None:
        if self.writers[number].is_in_transaction():
            self.wait(self.run(number, step))

    @rule(
        number=CONNECTIONS, business=BUSINESS, id=IDS, customer=st.integers(1, 3), kind=KINDS,
        status=DOCUMENT_STATUS, day=DAYS, due=st.none() | DAYS, total=AMOUNTS,
    )  # fmt: skip
    def write_document(self, number: int, **values: Any) -> None:
        sql = """INSERT INTO invoices
            (business_id, id, customer_id, kind, status, issue_date, due_date, total, number)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'N') ON CONFLICT (business_id, id) DO UPDATE SET
            customer_id = excluded.customer_id, kind = excluded.kind, status = excluded.status,
            issue_date = excluded.issue_date, due_date = excluded.due_date,
            total = excluded.total"""
        names = ("business", "id", "customer", "kind", "status", "day", "due", "total")
        self.wait(self.run(number, sql, *(values[name] for name in names)))

    @rule(
        number=CONNECTIONS, business=BUSINESS, id=IDS, document=IDS, day=DAYS, amount=SIGNED,
        channel=CHANNELS, status=PAYMENT_STATUS,
    )  # fmt: skip
    def write_payment(self, number: int, **values: Any) -> None:
        sql = """INSERT INTO payments
            (business_id, id, invoice_id, paid_on, amount, channel, status)
            VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (business_id, id) DO UPDATE SET
            invoice_id = excluded.invoice_id, paid_on = excluded.paid_on,
            amount = excluded.amount, channel = excluded.channel, status = excluded.status"""
        names = ("business", "id", "document", "day", "amount", "channel", "status")
        self.wait(self.run(number, sql, *(values[name] for name in names)))

    @rule(
        number=CONNECTIONS, business=BUSINESS, id=IDS, customer=st.integers(1, 3), amount=AMOUNTS,
        type=st.sampled_from(["credit", "debit"]),
    )  # fmt: skip
    def write_deposit(self, number: int, **values: Any) -> None:
        sql = """INSERT INTO deposits (business_id, id, customer_id, amount, type, entry_date)
            VALUES ($1, $2, $3, $4, $5, '2024-01-01') ON CONFLICT (business_id, id) DO UPDATE SET
            customer_id = excluded.customer_id, amount = excluded.amount, type = excluded.type"""
        names = ("business", "id", "customer", "amount", "type")
        self.wait(self.run(number, sql, *(values[name] for name in names)))

    @rule(number=CONNECTIONS, business=BUSINESS, id=IDS, table=st.sampled_from(
        ["payments", "payments", "invoices", "deposits"]
    ))  # fmt: skip
    def delete(self, number: int, business: int, id: int, table: str) -> None:  # noqa: A002 -- a column
        sql = f"DELETE FROM {table} WHERE business_id = $1 AND id = $2"
        self.wait(self.run(number, sql, business, id))

    @rule(number=CONNECTIONS, business=BUSINESS, change=st.sampled_from([
        "UPDATE invoices SET issue_date = issue_date + 31",
        "UPDATE invoices SET customer_id = 1 + customer_id % 3",
        "UPDATE invoices SET id = id + 10 WHERE id = 6 AND business_id = $1",
        "UPDATE payments SET invoice_id = 1 + invoice_id % 4 WHERE business_id = $1",
        "UPDATE payments SET business_id = 3 - business_id, id = id + 20 WHERE id = 1",
        "UPDATE customers SET opening_balance = opening_balance + 1 WHERE business_id = $1",
        "UPDATE customers SET archived = 1 - archived WHERE business_id = $1 AND id = 2",
        "DELETE FROM payments WHERE business_id = $1",
    ]))  # fmt: skip
    def change_many(self, number: int, business: int, change: str) -> None:
        self.wait(self.run(number, change, *([business] if "$1" in change else [])))

    @rule(first=DAYS, last=DAYS)
    def compare(self, first: date, last: date) -> None:
        start, end = sorted((first, last))
        self.wait(assert_as_in_python(self.reader, start, end))

    @rule()
    def compare_summaries(self) -> None:
        self.wait(self.parts.compare(self.reader))

    async def _end(self) -> None:
        for conn in self.writers:
            if conn.is_in_transaction():
                await conn.execute("COMMIT")
            await conn.close()
        await self.parts.compare(self.reader)
        await assert_as_in_python(self.reader, date(1, 1, 1), date(9999, 12, 31))
        async for proof in prove(self.reader):
            assert not proof.differences, proof
        await self.reader.close()

    def teardown(self) -> None:
        self.wait(self._end())


@pytest.mark.timeout(600)
@pytest.mark.parametrize("way", STATEFUL_WAYS)
async def test_no_order_of_writes_loses_a_figure(
    database: str, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "SPARE", 0)
    conn = await asyncpg.connect(database)
    await conn.execute(STATEFUL_WAYS[way])
    await conn.close()

    class Here(Writers):
        dsn, loop = database, asyncio.get_running_loop()

    await asyncio.to_thread(
        run_state_machine_as_test,
        Here,
        settings=settings(
            derandomize=True,
            max_examples=examples(8),
            stateful_step_count=30,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
