"""The report, computed from the contract's definitions in Python, one customer at a time."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, TypeAlias

Key: TypeAlias = tuple[int, int]  # business, id


class Number(str):
    """A number as its digits on the wire."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


@dataclass(frozen=True)
class Customer:
    owner_id: int = 1
    first_name: str | None = None
    last_name: str | None = None
    business_name: str | None = None
    business_email: str | None = None
    account_id: int | None = None
    category_id: int | None = None
    opening_balance: Decimal = Decimal(0)
    archived: int = 0
    created_at: datetime = datetime(2020, 1, 1)  # noqa: DTZ001 -- the ledger's times have no zone
    updated_at: datetime = datetime(2020, 1, 1)  # noqa: DTZ001 -- likewise


@dataclass(frozen=True)
class Document:
    customer_id: int
    kind: str
    status: str
    issue_date: date
    total: Decimal
    number: str = "N"


@dataclass(frozen=True)
class Payment:
    invoice_id: int
    paid_on: date
    amount: Decimal
    channel: str
    status: str


@dataclass(frozen=True)
class Deposit:
    customer_id: int
    entry_date: date
    amount: Decimal
    type: str


@dataclass
class Ledger:
    categories: dict[Key, str] = field(default_factory=dict)
    customers: dict[Key, Customer] = field(default_factory=dict)
    invoices: dict[Key, Document] = field(default_factory=dict)
    payments: dict[Key, Payment] = field(default_factory=dict)
    deposits: dict[Key, Deposit] = field(default_factory=dict)

    def report(self, business: int, start: date, end: date) -> list[dict[str, Any]]:
        rows = [
            self.row(business, customer, start, end)
            for of, customer in self.customers
            if of == business
        ]
        return sorted(rows, key=lambda row: (-Decimal(row["balance"]), int(row["id"])))

    def row(self, business: int, customer_id: int, start: date, end: date) -> dict[str, Any]:
        customer = self.customers[business, customer_id]
        issued = {
            key: document
            for key, document in self.invoices.items()
            if key[0] == business
            and document.customer_id == customer_id
            and document.status == "issued"
        }
        inside = {key: each for key, each in issued.items() if start <= each.issue_date <= end}
        settled = self._settled(business)
        paid = [payment for key in inside for payment in settled[key]]
        manual = [each.amount for each in paid if each.channel == "manual"]
        online = [each.amount for each in paid if each.channel == "online"]
        invoices = [each for each in inside.values() if each.kind == "invoice"]
        credited = [each for each in inside.values() if each.kind == "credit_note"]
        due = sum(each.total for each in invoices) - sum(each.total for each in credited)
        total_paid = sum(manual) + sum(online)
        balance = customer.opening_balance
        for key, document in issued.items():
            balance += document.total if document.kind == "invoice" else -document.total
            balance -= sum(each.amount for each in settled[key])
        held = sum(
            each.amount if each.type == "credit" else -each.amount
            for key, each in self.deposits.items()
            if key[0] == business and each.customer_id == customer_id
        )
        category = None
        if customer.category_id is not None:
            category = self.categories[business, customer.category_id]
        return {
            "id": number(customer_id),
            "owner_id": number(customer.owner_id),
            "business_id": number(business),
            "first_name": customer.first_name,
            "last_name": customer.last_name,
            "phone_number": None,
            "business_name": customer.business_name,
            "business_address": None,
            "business_phone": None,
            "business_location": None,
            "business_email": customer.business_email,
            "created_at": str(customer.created_at),
            "updated_at": str(customer.updated_at),
            "account_id": None if customer.account_id is None else number(customer.account_id),
            "category": "Uncategorised" if category is None else category,
            "category_id": number(customer.category_id or 1),
            "deposit_amount": number(held),
            "deposit_account_id": None,
            "archived": number(customer.archived),
            "amount_due": number(due),
            "invoice_count": number(len(invoices)),
            "balance": number(balance),
            "amount_paid": number(sum(manual)) if manual else None,
            "online_amount_paid": number(sum(online)) if online else None,
            "dateFrom": start.isoformat(),
            "dateTo": end.isoformat(),
            "average_payment_terms": number(self._terms(inside, settled)),
            "owing": number(due - total_paid),
            "total_paid": number(total_paid),
            "invoices": number(len(invoices)),
        }

    def cash(self, business: int, customer_id: int, start: date, end: date) -> dict[str, Any]:
        """Return what differs with basis=cash, and how many documents and receipts there are."""
        issued = [
            (key, document)
            for key, document in self.invoices.items()
            if key[0] == business
            and document.customer_id == customer_id
            and document.status == "issued"
        ]
        settled = self._settled(business)
        paid = [
            payment
            for key, _ in issued
            for payment in settled[key]
            if start <= payment.paid_on <= end
        ]
        manual = [each.amount for each in paid if each.channel == "manual"]
        online = [each.amount for each in paid if each.channel == "online"]
        return {
            "amount_paid": number(sum(manual)) if manual else None,
            "online_amount_paid": number(sum(online)) if online else None,
            "total_paid": number(sum(manual) + sum(online)),
            "documents": sum(start <= document.issue_date <= end for _, document in issued),
            "receipts": len(paid),
        }

    def _settled(self, business: int) -> defaultdict[Key, list[Payment]]:
        """Return the settled payments of a business, by the key of their document."""
        found: defaultdict[Key, list[Payment]] = defaultdict(list)
        for (of, _), payment in self.payments.items():
            if of == business and payment.status == "settled":
                found[business, payment.invoice_id].append(payment)
        return found

    def _terms(
        self, documents: dict[Key, Document], settled: defaultdict[Key, list[Payment]]
    ) -> Decimal:
        days: list[int] = []
        for key, document in documents.items():
            paid = settled[key]
            if document.kind != "invoice" or document.total <= 0:
                continue
            if sum(each.amount for each in paid) >= document.total:
                last = max(each.paid_on for each in paid if each.amount > 0)
                days.append((last - document.issue_date).days)
        if not days:
            return Decimal(0)
        return (Decimal(sum(days)) / len(days)).quantize(Decimal("0.01"), ROUND_HALF_UP)


def number(value: Decimal | int) -> Number:
    """Write a number without trailing zeros, exponent or minus zero."""
    if value == 0:
        return Number("0")
    text = format(Decimal(value), "f")
    return Number(text.rstrip("0").rstrip(".") if "." in text else text)
