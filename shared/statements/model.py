"""The frozen snapshot of a statement, as Postgres stores and hashes it."""

import datetime as dt
from decimal import Decimal
from functools import cached_property
from typing import Literal, Self

from pydantic import AwareDatetime, Field, ValidationError

from shared.period import Period
from shared.statements.decoding import StatementError, decode
from shared.statements.exact import Frozen, Money
from shared.statements.open_parts import Aging, Coming, OpenItem
from shared.text import visible
from shared.validation import complaint


class Business(Frozen):
    """The business that sends the statement, as stored when it was frozen."""

    id: int
    name: str
    email: str | None
    phone: str | None
    address: str | None
    currency: str = Field(pattern="^[A-Z]{3}$")
    timezone: str


class Customer(Frozen):
    """The customer of the statement, as stored when it was frozen."""

    id: int
    first_name: str | None
    last_name: str | None
    business_name: str | None
    business_address: str | None
    business_phone: str | None
    business_location: str | None
    business_email: str | None
    phone_number: str | None

    @property
    def name(self) -> str:
        """The business's name, or the person's; empty if there is none that can be seen."""
        person = f"{self.first_name or ''} {self.last_name or ''}"
        names = (" ".join(text.split()) for text in (self.business_name or "", person))
        return next(filter(None, map(visible, names)), "")

    @property
    def display_name(self) -> str:
        """The name, or `Customer 12`; never blank."""
        return self.name or f"Customer {self.id}"


Kind = Literal["activity", "open-items", "activity-with-open-items"]
"""What a statement lists: the changes of a period, the documents open at its end, or both."""


class Branding(Frozen):
    """How the statement looks, as the business had it when the statement was frozen.

    `pay_link` is a template with the placeholders `{amount}`, `{currency}`, `{reference}` and
    `{customer_id}`. The logo's sides are in pixels; its PNG is stored apart, under its hash.
    """

    accent: str | None = Field(None, pattern="^#[0-9a-f]{6}$")
    sender_name: str | None = None
    reply_to: str | None = None
    how_to_pay: str | None = None
    pay_link: str | None = None
    paper: Literal["a4", "letter"] = "a4"
    attach_csv: bool = False
    logo_sha256: str | None = Field(None, pattern="^[0-9a-f]{64}$")
    logo_width: int | None = None
    logo_height: int | None = None


class Transaction(Frozen):
    """A change of the balance; `number` is its document's, `days_overdue` its open item's."""

    date: dt.date
    kind: Literal["invoice", "credit_note", "payment", "refund"]
    id: int
    number: str
    due_date: dt.date | None
    channel: Literal["manual", "online"] | None
    method: str | None
    reference: str | None
    charge: Money | None
    credit: Money | None
    balance: Money
    days_overdue: int | None = None

    @property
    def change(self) -> Decimal:
        """The amount added to the balance: the charge minus the credit."""
        return (self.charge or Decimal(0)) - (self.credit or Decimal(0))


class Totals(Frozen):
    """Sums over the transactions of the period, none of them signed."""

    invoiced: Money
    credited: Money
    paid: Money
    refunded: Money


class ReportFigures(Frozen):
    """The part of the report row that the mail shows; the snapshot has the whole row."""

    amount_due: Money
    invoice_count: int
    total_paid: Money
    owing: Money
    balance: Money
    deposit_amount: Money


class Statement(Frozen):
    """A customer's account between two dates, both included; money in the business's currency.

    Version 1 has neither a kind, a locale, a branding, open items nor an ageing. `transactions` is
    empty if the kind is `open-items`, `open_items` is null if the kind is `activity`. Snapshots of
    template versions before 4 do not know what is coming due.
    """

    version: Literal[1, 2]
    kind: Kind = "activity"
    locale: str = "en"
    branding: Branding = Branding()
    business: Business
    customer: Customer
    start: dt.date = Field(alias="from")
    end: dt.date = Field(alias="to")
    generated_at: AwareDatetime
    opening_balance: Money
    transactions: tuple[Transaction, ...]
    totals: Totals
    closing_balance: Money
    open_items: tuple[OpenItem, ...] | None = None
    aging: Aging | None = None
    coming: Coming | None = None
    report: ReportFigures

    @classmethod
    def parse(cls, content: bytes) -> Self:
        """Read a snapshot. Raises StatementError that names the first fault."""
        try:
            return cls.model_validate(decode(content))
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(map(str, first["loc"]))
            raise StatementError(f"{place or 'snapshot'}: {complaint(first)}") from None

    @property
    def period(self) -> Period:
        """The days that the statement is about."""
        return Period(self.start, self.end)

    @property
    def reference(self) -> str:
        """The customer's number and the last day, such as `12-2026-06-30`, for a payment."""
        return f"{self.customer.id}-{self.end}"

    @cached_property
    def reconciles(self) -> bool:
        """Whether the totals lead from the opening to the closing balance, and each row does.

        The open items and the ageing, if there are any, add up to the closing balance, too, and
        what is coming due to the part of the ageing that is not due yet.
        """
        totals = self.totals
        summed = (
            self.opening_balance + totals.invoiced - totals.credited - totals.paid + totals.refunded
        )
        running = self.opening_balance
        for transaction in self.transactions:
            running += transaction.change
            if running != transaction.balance:
                return False
        ends = {summed, self.closing_balance}
        if self.kind != "open-items":
            ends.add(running)
        if self.open_items is not None:
            ends.add(sum((item.open for item in self.open_items), Decimal(0)))
        if self.aging is not None:
            ends.add(self.aging.total)
            if self.coming is not None and self.coming.total != self.aging.not_due:
                return False
        return len(ends) == 1
