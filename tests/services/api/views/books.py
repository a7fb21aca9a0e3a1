"""The base tables of one business as they are stored; the model of the views reads nothing else."""

import csv
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeAlias

import asyncpg

Record: TypeAlias = Any  # of a table; its columns are its attributes

_COLUMNS = {
    "categories": "id, name",
    "customers": "id, owner_id, first_name, last_name, phone_number, business_name,"
    " business_address, business_phone, business_location, business_email, account_id,"
    " category_id, deposit_account_id, opening_balance, archived, created_at, updated_at",
    "invoices": "id, customer_id, number, kind, status, issue_date, due_date, total",
    "payments": "id, invoice_id, paid_on, amount, channel, method, reference, status",
    "deposits": "id, customer_id, entry_date, amount, type",
}
_NUMBERS = {"opening_balance", "total", "amount"}
_DATES = {"issue_date", "due_date", "paid_on", "entry_date"}
_TIMES = {"created_at", "updated_at"}
_TEXTS = {"name", "number", "kind", "status", "channel", "method", "reference", "type"}


@dataclass(frozen=True)
class Account:
    """A customer with what counts of it: issued documents, and settled payments on them."""

    customer: Record
    category: str
    documents: list[Record]
    payments: list[tuple[Record, Record]]  # each with its document
    deposits: list[Record]


@dataclass(frozen=True)
class Books:
    """Every record of one business."""

    business: Record
    categories: list[Record]
    customers: list[Record]
    invoices: list[Record]
    payments: list[Record]
    deposits: list[Record]

    def accounts(self) -> list[Account]:
        return [self._account(customer) for customer in sorted(self.customers, key=lambda c: c.id)]

    def _account(self, customer: Record) -> Account:
        names = {1: "Uncategorised", **{each.id: each.name for each in self.categories}}
        category = customer.category_id
        documents = [
            each
            for each in self.invoices
            if each.customer_id == customer.id and each.status == "issued"
        ]
        return Account(
            customer=customer,
            category="Uncategorised" if category is None else names[category],
            documents=documents,
            payments=[
                (payment, document)
                for document in documents
                for payment in self.payments
                if payment.invoice_id == document.id and payment.status == "settled"
            ],
            deposits=[each for each in self.deposits if each.customer_id == customer.id],
        )


async def read(conn: asyncpg.Connection, business: int) -> Books:
    tables = {
        table: [
            SimpleNamespace(**row)
            for row in await conn.fetch(
                f"SELECT {columns} FROM {table} WHERE business_id = $1 ORDER BY id", business
            )
        ]
        for table, columns in _COLUMNS.items()
    }
    row = await conn.fetchrow("SELECT * FROM businesses WHERE id = $1", business)
    assert row is not None
    return Books(business=SimpleNamespace(**row), **tables)


def read_files(folder: Path, business: int) -> Books:
    """Read import files; only for the golden ledger, which has every column of each file."""
    tables = {
        table: [each for each in _file(folder / f"{table}.csv") if each.business_id == business]
        for table in _COLUMNS
    }
    [of] = [each for each in _file(folder / "businesses.csv") if each.id == business]
    return Books(business=of, **tables)


def _file(path: Path) -> list[Record]:
    with path.open(encoding="utf-8", newline="") as lines:
        return [
            SimpleNamespace(**{name: _value(name, text) for name, text in row.items()})
            for row in csv.DictReader(lines)
        ]


def _value(name: str, text: str) -> Any:
    # The model does not look at NULL and "" of texts, which this reader cannot tell apart.
    if name in _NUMBERS:
        return Decimal(text or 0)
    if name in _DATES:
        return date.fromisoformat(text) if text else None
    if name in _TIMES:
        return datetime.fromisoformat(text)
    if name in {"id", "archived"} or (name.endswith("_id") and name not in _TEXTS):
        return int(text) if text else None
    return text
