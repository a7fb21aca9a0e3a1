"""What is open at the end of a period: by document, by days past due, and by due date."""

import datetime as dt
from decimal import Decimal
from typing import Literal

from pydantic import Field

from shared.statements.exact import Frozen, Money


class OpenItem(Frozen):
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


class Aging(Frozen):
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


class DueDate(Frozen):
    """What is open of all documents that are due on one day."""

    due_date: dt.date
    open: Money


class Coming(Frozen):
    """What is not overdue at the period's end, by due date; `later` is due after the last of them.

    The parts add up to what the ageing calls not due.
    """

    dates: tuple[DueDate, ...]
    later: Money

    @property
    def total(self) -> Decimal:
        """What is open of all documents with a due date, and not overdue."""
        return sum((date.open for date in self.dates), self.later)
