"""The frozen snapshot of a statement, as Postgres stores and hashes it."""

import datetime as dt
import json
from decimal import Decimal
from typing import Annotated, Any, Literal, NoReturn, Self

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
from shared.validation import complaint


class StatementError(ValueError):
    """The bytes are not a statement of a known version."""


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
    def display_name(self) -> str:
        """The business's name, or the person's, or `Customer 12`; never blank."""
        person = " ".join(f"{self.first_name or ''} {self.last_name or ''}".split())
        return " ".join((self.business_name or "").split()) or person or f"Customer {self.id}"


class Transaction(_Frozen):
    """One change of the balance; `number` is that of its document."""

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


class ReportFigures(_Frozen):
    """The part of the report row that the mail shows; the snapshot has the whole row."""

    amount_due: Money
    invoice_count: int
    total_paid: Money
    owing: Money
    balance: Money


class Statement(_Frozen):
    """A customer's account between two dates, both included; money in the business's currency."""

    version: Literal[1]
    business: Business
    customer: Customer
    start: dt.date = Field(alias="from")
    end: dt.date = Field(alias="to")
    generated_at: AwareDatetime
    opening_balance: Money
    transactions: tuple[Transaction, ...]
    totals: Totals
    closing_balance: Money
    report: ReportFigures

    @classmethod
    def parse(cls, content: bytes) -> Self:
        """Read a snapshot. Raises StatementError that names the first fault."""
        try:
            return cls.model_validate(_decode(content))
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(map(str, first["loc"]))
            raise StatementError(f"{place or 'snapshot'}: {complaint(first)}") from None

    @property
    def period(self) -> Period:
        """The days that the statement is about."""
        return Period(self.start, self.end)

    @property
    def reconciles(self) -> bool:
        """Whether the totals lead from the opening to the closing balance, and each row does."""
        totals = self.totals
        summed = (
            self.opening_balance + totals.invoiced - totals.credited - totals.paid + totals.refunded
        )
        running = self.opening_balance
        for transaction in self.transactions:
            running += transaction.change
            if running != transaction.balance:
                return False
        return summed == running == self.closing_balance


def _decode(content: bytes) -> Any:
    try:
        return json.loads(content.decode(), parse_float=Decimal, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise StatementError(f"snapshot: {error}") from None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no amount")
