"""Random ledgers with the values that break reports, and random edits of them, from a seed."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import asyncpg

CENTRE = date(2024, 3, 31)
LARGE_ID = 10**18 - 7
IDS = {
    "customers": [*range(1, 7), 42, 90071992547409931, LARGE_ID],
    "invoices": [*range(1, 25), LARGE_ID],
    "payments": [*range(1, 40), LARGE_ID],
    "deposits": [*range(1, 9), LARGE_ID],
}
DAYS = [
    *(CENTRE + timedelta(days) for days in (0, 1, -1, 15, -15, 29, 30, 31, -30, -31, -60, -91)),
    date(2024, 2, 29),
    date(2024, 1, 1),
    date(2023, 12, 31),
    date(2023, 3, 31),
    date(2025, 2, 28),
    date(2020, 6, 15),
    date(2031, 1, 1),
]
# Not the first and last day of all, which asyncpg sends as infinite ones.
FAR_DAYS = [date(1, 1, 2), date(9999, 12, 30), date(1900, 2, 28)]
AMOUNTS = [
    Decimal(text)
    for text in (
        "0",
        "0.0001",
        "0.005",
        "1.005",
        "33.3333",
        "50",
        "50",
        "100",
        "100",
        "100",
        "250.5",
    )
]
HUGE = Decimal("99999999999999.9999")
TEXTS = [
    None,
    None,
    "",
    "Zebra",
    "apple",
    "Apple",
    "=1+1",
    "+1",
    "-2",
    "@SUM(A1)",
    "\tTab",
    "\rReturn",
    "\N{FULLWIDTH EQUALS SIGN}1",
    "50% off_\\now",
    '<b>"Q&A"</b>',
    "O'Brien; x, y",
    "line\nbreak\u2028sep",
    "Ωmega Σίσυφος",
    "Ɛsi Ɔfori",
    "Ünïcödé Straße",
    "משה כהן",
    "شركة النور",
    "王小明",
    "한국",
    "𝄞 clef",
    "e\N{COMBINING ACUTE ACCENT}clair",
    "long " + "x" * 300,
]
EMAILS = [None, "", "a@example.com", "Ä@EXAMPLE.com"]
KINDS = ["invoice", "invoice", "invoice", "credit_note"]
DOCUMENT_STATES = ["issued"] * 5 + ["draft", "void"]
PAYMENT_STATES = ["settled"] * 5 + ["pending", "failed"]

_BEGIN = """
TRUNCATE businesses CASCADE;
INSERT INTO businesses (id, owner_id, name, currency, timezone) VALUES
    (1, 1, 'One & Só', 'EUR', 'Pacific/Auckland'), (2, 2, 'Two', 'KWD', 'America/New_York');
INSERT INTO categories (id, business_id, name) VALUES (0, 1, 'Nought'), (7, 1, 'Seven'),
    (8, 1, '=Eight'), (7, 2, 'Sept')
"""


class Writer:
    """Writes random records over each other; what a constraint refuses is left out."""

    def __init__(self, conn: asyncpg.Connection, seed: int, *, far: bool = False) -> None:
        self.conn = conn
        self.random = Random(seed)
        self.days = DAYS + FAR_DAYS if far else DAYS
        self.amounts = [*AMOUNTS, HUGE] if far else AMOUNTS

    async def begin(self) -> None:
        await self.conn.execute(_BEGIN)
        for business in (1, 2):
            for number in IDS["customers"]:
                await self.write("customers", business, number)
        for table, count in (("invoices", 40), ("payments", 60), ("deposits", 8)):
            for _ in range(count):
                await self.write(table, self._business(), self._id(table))

    async def edit(self, count: int = 12) -> None:
        """Write, change or delete so many records."""
        for _ in range(count):
            table, business = self._table(), self._business()
            number = self._id(table)
            if self.random.random() < 0.25:
                await self.delete(table, business, number)
            else:
                await self.write(table, business, number)

    async def write(self, table: str, business: int, number: int) -> None:
        values = getattr(self, f"_{table}")()
        names = ["business_id", "id", *values]
        places = ", ".join(f"${place}" for place in range(1, len(names) + 1))
        updates = ", ".join(f"{name} = excluded.{name}" for name in values)
        await self._run(
            f"INSERT INTO {table} ({', '.join(names)}) VALUES ({places})"
            f" ON CONFLICT (business_id, id) DO UPDATE SET {updates}",
            business,
            number,
            *values.values(),
        )

    async def delete(self, table: str, business: int, number: int) -> None:
        await self._run(f"DELETE FROM {table} WHERE business_id = $1 AND id = $2", business, number)

    async def _run(self, sql: str, *values: Any) -> None:
        try:
            await self.conn.execute(sql, *values)
        except asyncpg.ForeignKeyViolationError:
            return

    def _customers(self) -> dict[str, Any]:
        texts = ("first_name", "last_name", "business_name", "business_address", "phone_number")
        return {
            "owner_id": 1,
            **{name: self._pick(TEXTS) for name in texts},
            "business_email": self._pick(EMAILS),
            "account_id": self._pick([None, 0, LARGE_ID]),
            "category_id": self._pick([None, 0, 1, 7, 7, 8]),
            "deposit_account_id": self._pick([None, 5]),
            "opening_balance": self._pick([Decimal(0), Decimal(0), *self._signed()]),
            "archived": self._pick([0, 0, 0, 1]),
            "created_at": datetime(2020, 1, self.random.randint(1, 3), 2, 3, 4),  # noqa: DTZ001 -- as stored
        }

    def _invoices(self) -> dict[str, Any]:
        issued = self._pick(self.days)
        return {
            "customer_id": self._id("customers"),
            "number": self._pick(["INV1", "INV1", "=INV2", "", "CN-3"]),
            "kind": self._pick(KINDS),
            "status": self._pick(DOCUMENT_STATES),
            "issue_date": issued,
            "due_date": self._pick([None, issued, *self.days]),
            "total": self._pick(self.amounts),
        }

    def _payments(self) -> dict[str, Any]:
        return {
            "invoice_id": self._id("invoices"),
            "paid_on": self._pick(self.days),
            "amount": self._pick(self._signed()),
            "channel": self._pick(["manual", "online"]),
            "method": self._pick([None, "", "cash"]),
            "reference": self._pick(TEXTS),
            "status": self._pick(PAYMENT_STATES),
        }

    def _deposits(self) -> dict[str, Any]:
        return {
            "customer_id": self._id("customers"),
            "entry_date": self._pick(self.days),
            "amount": self._pick(self.amounts),
            "type": self._pick(["credit", "credit", "debit"]),
        }

    def _signed(self) -> list[Decimal]:
        return [*self.amounts, *self.amounts, *(-each for each in self.amounts)]

    def _pick(self, values: Sequence[Any]) -> Any:
        return self.random.choice(values)

    def _table(self) -> str:
        return self._pick(["payments", "payments", "invoices", "invoices", "deposits", "customers"])

    def _business(self) -> int:
        return self._pick([1, 1, 1, 2])

    def _id(self, table: str) -> int:
        return self._pick(IDS[table])
