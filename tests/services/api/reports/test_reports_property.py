import string
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, TypeAlias

import asyncpg
import hypothesis.strategies as st
from hypothesis import HealthCheck, given, settings

from services.api.reports import store
from services.api.reports.model import ReportQuery
from shared.period import Period
from tests.examples import examples
from tests.services.api.reports import columns
from tests.services.api.reports.naive_model import Customer, Deposit, Document, Ledger, Payment
from tests.services.api.reports.rows import as_on_the_wire, as_pairs

# Few ids, days and amounts, so that ids repeat across the two businesses, most writes hit what is
# there, and invoices are paid to the cent, balances equal and dates on the period's edge.
IDS = st.integers(1, 3)
DAYS = st.sampled_from([0, 1, 1, 2, 3, 20]).map(lambda days: date(2024, 2, 28) + timedelta(days))
PLAIN = st.sampled_from(
    [Decimal(text) for text in ("100", "100.00", "100", "50", "50", "0.1", "0")]
)
FINE = st.integers(0, 10**18 - 1).map(lambda units: Decimal(units).scaleb(-4))
COMMON = st.integers(0, 10**11 - 1).map(lambda units: Decimal(units).scaleb(-4))
POSITIVE = st.one_of(PLAIN, PLAIN, PLAIN, PLAIN, PLAIN, COMMON, FINE)
SIGNED = st.one_of(POSITIVE, POSITIVE, POSITIVE.map(lambda amount: -amount))
SIGNS = string.ascii_letters + '"\\,\n\r\t\x01\x02/é€𝄞 \x7f\u2028'
TEXTS = st.none() | st.text(st.sampled_from(SIGNS), max_size=8)

CUSTOMERS = st.builds(
    Customer,
    owner_id=IDS,
    first_name=TEXTS,
    last_name=TEXTS,
    business_name=TEXTS,
    account_id=st.none() | st.integers(0, 2**63 - 1),
    category_id=st.sampled_from([None, 1, 7]),
    opening_balance=st.just(Decimal(0)) | SIGNED,
    archived=st.integers(0, 1),
)
DOCUMENTS = st.builds(
    Document,
    customer_id=IDS,
    kind=st.sampled_from(["invoice", "invoice", "invoice", "credit_note"]),
    status=st.sampled_from(["issued", "issued", "issued", "draft", "void"]),
    issue_date=DAYS,
    total=POSITIVE,
)
PAYMENTS = st.builds(
    Payment,
    invoice_id=IDS,
    paid_on=DAYS,
    amount=SIGNED,
    channel=st.sampled_from(["manual", "online"]),
    status=st.sampled_from(["settled", "settled", "settled", "pending", "failed"]),
)
DEPOSITS = st.builds(
    Deposit,
    customer_id=IDS,
    entry_date=DAYS,
    amount=POSITIVE,
    type=st.sampled_from(["credit", "debit"]),
)
Record: TypeAlias = Customer | Document | Payment | Deposit
RECORDS: st.SearchStrategy[Record] = st.one_of(DOCUMENTS, PAYMENTS, PAYMENTS, CUSTOMERS, DEPOSITS)
BUSINESSES = st.sampled_from([1, 1, 2])
# Writing a record over one that is there is the update: of its status, date, amount, customer.
WRITES = st.tuples(BUSINESSES, st.integers(1, 5), RECORDS)
DELETES = st.tuples(
    BUSINESSES, st.integers(1, 5), st.sampled_from([Customer, Document, Payment, Deposit])
)

BEGIN = """
TRUNCATE businesses CASCADE;
INSERT INTO businesses (id, owner_id, name, currency, timezone)
    VALUES (1, 1, 'One', 'EUR', 'UTC'), (2, 2, 'Two', 'USD', 'UTC');
INSERT INTO categories (id, business_id, name) VALUES (7, 1, 'Seven'), (7, 2, 'Sept "7"')
"""
TABLE = {
    Customer: "customers",
    Document: "invoices",
    Payment: "payments",
    Deposit: "deposits",
}


class Twin:
    """The ledger in Postgres and its naive model, written together."""

    def __init__(self, conn: asyncpg.Connection) -> None:
        self.conn = conn
        categories = {(1, 7): "Seven", (2, 7): 'Sept "7"', (1, 1): "Uncategorised"}
        self.model = Ledger(categories={(2, 1): "Uncategorised", **categories})

    async def write(self, business: int, number: int, record: Record) -> None:
        if not self._has_parent(business, record):
            return
        self._records(type(record))[business, number] = record
        values = vars(record) | {"business_id": business, "id": number}
        places = ", ".join(f"${place}" for place in range(1, len(values) + 1))
        updates = ", ".join(f"{name} = excluded.{name}" for name in vars(record))
        await self.conn.execute(
            f"INSERT INTO {TABLE[type(record)]} ({', '.join(values)}) VALUES ({places})"
            f" ON CONFLICT (business_id, id) DO UPDATE SET {updates}",
            *values.values(),
        )

    async def delete(self, business: int, number: int, kind: type[Record]) -> None:
        if self._has_children(business, number, kind):
            return
        self._records(kind).pop((business, number), None)
        await self.conn.execute(
            f"DELETE FROM {TABLE[kind]} WHERE business_id = $1 AND id = $2", business, number
        )

    def _records(self, kind: type[Record]) -> dict[Any, Any]:
        return vars(self.model)[TABLE[kind]]  # type: ignore[no-any-return]  # one dict per table

    def _has_parent(self, business: int, record: Record) -> bool:
        if isinstance(record, Payment):
            return (business, record.invoice_id) in self.model.invoices
        if isinstance(record, Customer):
            return True
        return (business, record.customer_id) in self.model.customers

    def _has_children(self, business: int, number: int, kind: type[Record]) -> bool:
        parent: Callable[[Any], Any] = lambda child: None  # noqa: E731 -- none has it as parent
        children: list[Any] = []
        if kind is Customer:
            children = [*self.model.invoices.items(), *self.model.deposits.items()]
            parent = lambda child: child.customer_id  # noqa: E731 -- a choice of two
        elif kind is Document:
            children = [*self.model.payments.items()]
            parent = lambda child: child.invoice_id  # noqa: E731 -- a choice of two
        return any(key[0] == business and parent(child) == number for key, child in children)

    async def assert_equal(self, start: date, end: date) -> None:
        for business in (1, 2):
            expected = as_pairs(self.model.report(business, start, end))
            query = ReportQuery(business, Period(start, end))
            shown = as_on_the_wire(await read(self.conn, query))
            assert repr(shown) == repr(expected)
            await columns.assert_as_json(self.conn, query, shown)
            await columns.assert_as_cash(self.conn, query, self.model)
            for row in expected:
                text = await store.income_by_customer(self.conn, query, int(row[0][1]))
                assert text is not None
                assert repr(as_on_the_wire(text)) == repr(row)


async def read(conn: asyncpg.Connection, query: ReportQuery) -> bytes:
    pieces: list[bytes] = []

    async def write(piece: bytes) -> None:
        pieces.append(piece)

    await store.income_by_customers(conn, query, write, timeout=30)
    return b"".join(pieces)


@settings(
    derandomize=True,
    max_examples=examples(25),
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    first=st.tuples(
        *(
            st.tuples(st.just(business), st.just(number), records)
            for records, count in ((CUSTOMERS, 3), (DOCUMENTS, 5), (PAYMENTS, 8))
            for business in (1, 2)
            for number in range(1, count + 1)
        )
    ),
    changes=st.lists(WRITES | WRITES | WRITES | DELETES, min_size=5, max_size=20),
    period=st.tuples(DAYS, DAYS).map(sorted),
)
async def test_the_report_is_what_the_contract_says(
    database: str, first: tuple[Any, ...], changes: list[Any], period: list[date]
) -> None:
    conn = await asyncpg.connect(database)
    try:
        await conn.execute(BEGIN)
        twin = Twin(conn)
        for business, number, record in first:
            await twin.write(business, number, record)
        for place, (business, number, change) in enumerate(changes):
            if place % 5 == 0:
                await twin.assert_equal(*period)
            if isinstance(change, type):
                await twin.delete(business, number, change)
            else:
                await twin.write(business, number, change)
        await twin.assert_equal(*period)
    finally:
        await conn.close()
