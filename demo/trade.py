"""Generates three years of invoices, credit notes and payments from a seeded random source."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

FIRST_DAY = date(2023, 11, 1)
LAST_DAY = date(2026, 10, 31)

Row = dict[str, Any]


def chance(lot: Random, share: float) -> bool:
    """Return True with this probability; 0.04 is one in 25."""
    return lot.random() < share


@dataclass
class Trade:
    """The documents, payments and deposits of one business; ids count up from 1."""

    business_id: int
    prefix: str
    methods: tuple[str, ...]
    lot: Random
    invoices: list[Row] = field(default_factory=list)
    payments: list[Row] = field(default_factory=list)
    deposits: list[Row] = field(default_factory=list)

    def with_customer(self, customer_id: int, *, a_year: int, usual: int, terms: int) -> None:
        """Add the trade with one customer: documents per year, the usual total, days to pay."""
        diligence = self.lot.uniform(0.5, 1.4)
        for day in self._days(a_year):
            total = self._amount(usual)
            document = self._document(customer_id, day, total, terms)
            if document["kind"] == "invoice" and document["status"] == "issued":
                self._pay(document, total, round(terms * diligence))
        if chance(self.lot, 0.2):
            self._deposit(customer_id, usual)

    def _days(self, a_year: int) -> Iterator[date]:
        day = FIRST_DAY + timedelta(days=self.lot.randint(0, 60))
        while a_year and day <= LAST_DAY:
            yield day
            # People buy cloth for Christmas and Easter.
            haste = 2 if day.month in {3, 11, 12} else 1
            day += timedelta(days=max(1, round(self.lot.expovariate(a_year * haste / 365))))

    def _amount(self, usual: int) -> Decimal:
        pesewas = round(usual * 100 * self.lot.lognormvariate(0, 0.6))
        return Decimal(max(pesewas, 500)).scaleb(-2)

    def _document(self, customer_id: int, day: date, total: Decimal, terms: int) -> Row:
        is_recent = LAST_DAY - day < timedelta(days=10)
        kind = "credit_note" if chance(self.lot, 0.03) else "invoice"
        status = "void" if chance(self.lot, 0.015) else "issued"
        if is_recent and chance(self.lot, 0.2):
            status = "draft"
        number = len(self.invoices) + 1
        row = {
            "id": number,
            "business_id": self.business_id,
            "customer_id": customer_id,
            "number": f"{'CN' if kind == 'credit_note' else self.prefix}-{day.year}-{number:05}",
            "kind": kind,
            "status": status,
            "issue_date": day,
            "due_date": day + timedelta(days=terms) if kind == "invoice" else None,
            "total": total if kind == "invoice" else (total / 5).quantize(Decimal("0.01")),
        }
        self.invoices.append(row)
        return row

    def _pay(self, document: Row, total: Decimal, delay: int) -> None:
        paid_on = document["issue_date"] + timedelta(
            days=max(0, round(self.lot.gauss(delay, delay / 3)))
        )
        if chance(self.lot, 0.04):
            return  # never
        if chance(self.lot, 0.12):  # in two parts; the second may not be paid yet
            part = (total * self.lot.randint(3, 7) / 10).quantize(Decimal("0.01"))
            self._payment(document, paid_on, part)
            self._payment(document, paid_on + timedelta(days=delay), total - part)
            return
        if chance(self.lot, 0.03):  # at the second attempt
            self._payment(document, paid_on, total, status="failed", channel="online")
        self._payment(document, paid_on, total)
        if chance(self.lot, 0.03):  # a bale is returned and refunded
            back = (total * self.lot.randint(1, 3) / 10).quantize(Decimal("0.01"))
            self._payment(document, paid_on + timedelta(days=4), -back)

    def _payment(
        self, document: Row, day: date, amount: Decimal, *, status: str = "", channel: str = ""
    ) -> None:
        if day > LAST_DAY:
            return
        channel = channel or self.lot.choice(("manual", "manual", "online"))
        is_fresh = channel == "online" and LAST_DAY - day < timedelta(days=2)
        number = len(self.payments) + 1
        self.payments.append(
            {
                "id": number,
                "business_id": self.business_id,
                "invoice_id": document["id"],
                "paid_on": day,
                "amount": amount,
                "channel": channel,
                "method": self.methods[0] if channel == "online" else self.lot.choice(self.methods),
                "reference": f"R{number:06}" if channel == "online" else None,
                "status": status or ("pending" if is_fresh else "settled"),
            }
        )

    def _deposit(self, customer_id: int, usual: int) -> None:
        held = self._amount(usual)
        used = (held / 2).quantize(Decimal("0.01"))
        day = FIRST_DAY + timedelta(days=self.lot.randint(30, 1000))
        for amount, kind, later in ((held, "credit", 0), (used, "debit", 45)):
            self.deposits.append(
                {
                    "id": len(self.deposits) + 1,
                    "business_id": self.business_id,
                    "customer_id": customer_id,
                    "entry_date": day + timedelta(days=later),
                    "amount": amount,
                    "type": kind,
                }
            )
