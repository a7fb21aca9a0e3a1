"""The frozen snapshot of a statement, as Postgres stores and hashes it."""

import datetime as dt
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    ValidationError,
)

from shared.period import Period
from shared.statements.decoding import StatementError, decode
from shared.text import visible
from shared.validation import complaint


def _exact(value: object) -> object:
    return Decimal(value) if type(value) is int else value


Money = Annotated[Decimal, Strict(), Field(max_digits=28), BeforeValidator(_exact)]
"""A JSON number read as a decimal: digit for digit, never by way of a float or a string.

Twenty-eight digits at most, which is what decimal arithmetic here keeps exactly.
"""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Business(_Frozen):
    """The business that sends the statement, as stored when it was frozen."""

    id: int
    name: str
    email: str | None
    phone: str | None
    address: str | None
    currency: str = Field(pattern="^[A-Z]{3}$")
    timezone: str


class Customer(_Frozen):
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


class Branding(_Frozen):
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


class Transaction(_Frozen):
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


class Totals(_Frozen):
    """Sums over the transactions of the period, none of them signed."""

    invoiced: Money
    credited: Money
    paid: Money
    refunded: Money


class OpenItem(_Frozen):
    """A document, or the opening balance, whose open part at the end of the period is not zero.

    `open` is signed: what is in the customer's favour is below zero. `days_overdue` counts from the
    day after the due date to the end of the period, and is null if there is no due date.
    """

    kind: Literal["invoice", "credit_note", "opening_balance"]
    id: int | None
    number: str | None
    date: dt.date | None
    due_date: dt.date | None
    total: Money
    open: Money
    days_overdue: int | None


class Aging(_Frozen):
    """The open parts at the period's end by days past due; their total is the closing balance."""

    not_due: Money
    days_1_30: Money = Field(alias="1-30")
    days_31_60: Money = Field(alias="31-60")
    days_61_90: Money = Field(alias="61-90")
    over_90: Money
    no_due_date: Money
    credits: Money
    opening: Money
    total: Money

    @property
    def overdue(self) -> Decimal:
        """What is past its due date."""
        return self.days_1_30 + self.days_31_60 + self.days_61_90 + self.over_90


class DueDate(_Frozen):
    """What is open of all documents that are due on one day."""

    due_date: dt.date
    open: Money


class Coming(_Frozen):
    """What is not overdue at the period's end, by due date; `later` is due after the last of them.

    The parts add up to what the ageing calls not due.
    """

    dates: tuple[DueDate, ...]
    later: Money

    @property
    def total(self) -> Decimal:
        """What is open of all documents with a due date, and not overdue."""
        return sum((date.open for date in self.dates), self.later)


class ReportFigures(_Frozen):
    """The part of the report row that the mail shows; the snapshot has the whole row."""

    amount_due: Money
    invoice_count: int
    total_paid: Money
    owing: Money
    balance: Money
    deposit_amount: Money


class Statement(_Frozen):
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
