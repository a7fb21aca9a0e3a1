"""Random ledgers, written to Postgres and to the naive model of the ageing together."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any, TypeAlias

import asyncpg
import hypothesis.strategies as st

from tests.services.api.aging.naive_aging import Customer, Document, Ledger, Payment

Record: TypeAlias = Customer | Document | Payment
Kind: TypeAlias = type[Customer] | type[Document] | type[Payment]

# Few ids, days and amounts, so that ids repeat across the two businesses, payments are often of the
# same day, to the cent, or before their document, and refunds open again what was paid.
_IDS = st.integers(1, 3)
_FIRST = date(2024, 2, 28)
DAYS = st.sampled_from([0, 1, 2, 3, 5, 16, 17, 31, 64, 65, 366, 4000]).map(
    lambda days: _FIRST + timedelta(days)
)
_EXTREMES = st.sampled_from([date(1, 1, 2), date(9999, 12, 30)])
_AMOUNTS = ("100", "100", "100", "50", "50", "0.1", "0.0001", "0", "99999999999999.9999")
_TOTALS = st.sampled_from([Decimal(each) for each in _AMOUNTS])
_SIGNED = st.one_of(_TOTALS, _TOTALS, _TOTALS.map(lambda amount: -amount))

CUSTOMERS = st.builds(
    Customer,
    business_name=st.sampled_from([None, "", "Ɛsi", 'A "B"']),
    opening_balance=st.sampled_from([Decimal(0), Decimal("-12.5"), Decimal(7)]),
)
DOCUMENTS = st.builds(
    Document,
    customer_id=_IDS,
    kind=st.sampled_from(["invoice", "invoice", "credit_note"]),
    status=st.sampled_from(["issued", "issued", "issued", "draft", "void"]),
    issue_date=st.one_of(DAYS, DAYS, DAYS, _EXTREMES),
    due_date=st.one_of(st.none(), DAYS, DAYS),
    total=_TOTALS,
)
PAYMENTS = st.builds(
    Payment,
    invoice_id=_IDS,
    paid_on=st.one_of(DAYS, DAYS, DAYS, _EXTREMES),
    amount=_SIGNED,
    status=st.sampled_from(["settled", "settled", "settled", "pending", "failed"]),
)
_BUSINESSES = st.sampled_from([1, 1, 2])
_NUMBERS = st.integers(1, 6)
# Writing a record over one that is there is the update.
_WRITES = st.tuples(_BUSINESSES, _NUMBERS, st.one_of(DOCUMENTS, PAYMENTS, PAYMENTS, CUSTOMERS))
_DELETES = st.tuples(_BUSINESSES, _NUMBERS, st.sampled_from([Customer, Document, Payment]))
CHANGES = st.lists(st.one_of(_WRITES, _WRITES, _WRITES, _DELETES), min_size=4, max_size=16)
FIRST_RECORDS = st.tuples(
    *(
        st.tuples(st.just(business), st.just(number), records)
        for records, count in ((CUSTOMERS, 3), (DOCUMENTS, 4), (PAYMENTS, 6))
        for business in (1, 2)
        for number in range(1, count + 1)
    )
)

_BEGIN = """
TRUNCATE businesses CASCADE;
INSERT INTO businesses (id, owner_id, name, currency, timezone)
    VALUES (1, 1, 'One', 'EUR', 'UTC'), (2, 2, 'Two', 'USD', 'UTC')
"""
_TABLES: dict[Kind, str] = {Customer: "customers", Document: "invoices", Payment: "payments"}
# What a record has no field for.
_OTHERS: dict[Kind, dict[str, Any]] = {
    Customer: {"owner_id": 1},
    Document: {"number": "N"},
    Payment: {"channel": "manual"},
}


class Twin:
    """The ledger in Postgres and its naive model, written together."""

    def __init__(self, conn: asyncpg.Connection) -> None:
        self.conn = conn
        self.model = Ledger()

    async def begin(self) -> None:
        """Empty both."""
        await self.conn.execute(_BEGIN)

    async def change(self, business: int, number: int, change: Record | Kind) -> None:
        """Write a record, or delete the one of this kind; nothing if a reference forbids it."""
        if isinstance(change, type):
            await self._delete(business, number, change)
        else:
            await self._write(business, number, change)

    async def _write(self, business: int, number: int, record: Record) -> None:
        if not self._has_parent(business, record):
            return
        self._records(type(record))[business, number] = record
        values = {**vars(record), **_OTHERS[type(record)], "business_id": business, "id": number}
        places = ", ".join(f"${place}" for place in range(1, len(values) + 1))
        updates = ", ".join(f"{name} = excluded.{name}" for name in vars(record))
        await self.conn.execute(
            f"INSERT INTO {_TABLES[type(record)]} ({', '.join(values)}) VALUES ({places})"
            f" ON CONFLICT (business_id, id) DO UPDATE SET {updates}",
            *values.values(),
        )

    async def _delete(self, business: int, number: int, kind: Kind) -> None:
        if self._has_children(business, number, kind):
            return
        self._records(kind).pop((business, number), None)
        await self.conn.execute(
            f"DELETE FROM {_TABLES[kind]} WHERE business_id = $1 AND id = $2", business, number
        )

    def _records(self, kind: Kind) -> dict[Any, Any]:
        return vars(self.model)[_TABLES[kind]]  # type: ignore[no-any-return]  # one dict per table

    def _has_parent(self, business: int, record: Record) -> bool:
        if isinstance(record, Payment):
            return (business, record.invoice_id) in self.model.invoices
        if isinstance(record, Document):
            return (business, record.customer_id) in self.model.customers
        return True

    def _has_children(self, business: int, number: int, kind: Kind) -> bool:
        parents: list[tuple[int, int]] = []
        if kind is Customer:
            parents = [(key[0], each.customer_id) for key, each in self.model.invoices.items()]
        elif kind is Document:
            parents = [(key[0], each.invoice_id) for key, each in self.model.payments.items()]
        return (business, number) in parents
