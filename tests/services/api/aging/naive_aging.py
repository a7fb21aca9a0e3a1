"""The ageing of receivables, computed from the contract's words, one document at a time."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from itertools import pairwise

from tests.services.api.reports.naive_model import Key, Number, number


@dataclass(frozen=True)
class Customer:
    business_name: str | None
    opening_balance: Decimal


@dataclass(frozen=True)
class Document:
    customer_id: int
    kind: str
    status: str
    issue_date: date
    due_date: date | None
    total: Decimal


@dataclass(frozen=True)
class Payment:
    invoice_id: int
    paid_on: date
    amount: Decimal
    status: str


@dataclass
class Ledger:
    customers: dict[Key, Customer] = field(default_factory=dict)
    invoices: dict[Key, Document] = field(default_factory=dict)
    payments: dict[Key, Payment] = field(default_factory=dict)

    def aging(
        self, business: int, as_of: date, ends: Sequence[int]
    ) -> list[dict[str, Number | str | None]]:
        """Every customer's row, the largest total first."""
        rows = [
            self._row(business, customer, as_of, ends)
            for of, customer in self.customers
            if of == business
        ]
        return sorted(rows, key=lambda row: (-Decimal(str(row["total"])), int(str(row["id"]))))

    def receivable(self, business: int, customer: int, as_of: date) -> Decimal:
        """What the customer owes at the end of a day, whatever is due when."""
        owed = self.customers[business, customer].opening_balance
        for key, document in self.invoices.items():
            if key[0] != business or document.customer_id != customer:
                continue
            if document.status != "issued":
                continue
            if document.issue_date <= as_of:
                owed += document.total if document.kind == "invoice" else -document.total
            owed -= sum(
                payment.amount
                for of, payment in self.payments.items()
                if of[0] == business
                and payment.invoice_id == key[1]
                and payment.status == "settled"
                and payment.paid_on <= as_of
            )
        return owed

    def _row(
        self, business: int, customer: int, as_of: date, ends: Sequence[int]
    ) -> dict[str, Number | str | None]:
        names = bucket_names(ends)
        amounts = dict.fromkeys(("not_due", *names, "no_due_date", "credits"), Decimal(0))
        for key, document in self.invoices.items():
            if key[0] == business and document.customer_id == customer:
                left = self.open_part(key, document, as_of)
                amounts[_bucket(left, document.due_date, as_of, ends)] += left
        record = self.customers[business, customer]
        amounts["opening"] = record.opening_balance
        return {
            "id": number(customer),
            "business_name": record.business_name,
            **{name: number(amount) for name, amount in amounts.items()},
            "total": number(sum(amounts.values())),
        }

    def open_part(self, key: Key, document: Document, as_of: date) -> Decimal:
        """What is unpaid of a document at the end of a day; below zero it is a credit."""
        if document.status != "issued":
            return Decimal(0)
        left = Decimal(0)
        if document.issue_date <= as_of:
            left = document.total if document.kind == "invoice" else -document.total
        for of, payment in self.payments.items():
            if (of[0], payment.invoice_id) == key and payment.status == "settled":
                left -= payment.amount if payment.paid_on <= as_of else 0
        return left


def bucket_names(ends: Sequence[int]) -> list[str]:
    names = [f"1-{ends[0]}"]
    for before, end in pairwise(ends):
        names.append(f"{before + 1}-{end}")
    return [*names, f"over_{ends[-1]}"]


def _bucket(left: Decimal, due: date | None, as_of: date, ends: Sequence[int]) -> str:
    if left < 0:
        return "credits"
    if due is None:
        return "no_due_date"
    days = (as_of - due).days
    if days <= 0:
        return "not_due"
    for name, end in zip(bucket_names(ends), ends, strict=False):
        if days <= end:
            return name
    return f"over_{ends[-1]}"
