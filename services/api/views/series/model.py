from collections.abc import Sequence
from datetime import date
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from services.api.core.money import Amount
from services.api.core.parsing import whole_number
from services.api.formats.report import Column, Kind
from services.api.reports.meta import Meta
from services.api.reports.series.intervals import INTERVALS_MAX, Interval
from services.api.views.model import Number
from services.api.views.options import AmountOptions, BasisOptions, FileOptions

FIGURES: Sequence[Column] = (
    Column("amount_due", Kind.MONEY, "Billed"),
    Column("total_paid", Kind.MONEY, "Paid"),
    Column("received", Kind.MONEY, "Received"),
    Column("invoices", Kind.COUNT, "Invoices"),
)
COLUMNS: Sequence[Column] = (
    Column("start", Kind.DATE, "From"),
    Column("end", Kind.DATE, "To"),
    Column("partial", Kind.FLAG, "Partial"),
    *FIGURES,
)
_BILLED = "Billed: issued invoices minus issued credit notes, by issue date."
_PAID = (
    "With `basis=accrual` what was paid so far on the documents issued in the interval, whatever"
    " the date of the payment; with `basis=cash` the same as `received`."
)
_RECEIVED = "Settled payments on issued documents whose `paid_on` lies in the interval."
_INVOICES = "The number of issued invoices, by issue date, without credit notes."


class SeriesOptions(BasisOptions, AmountOptions, FileOptions):
    """The query parameters of a series."""

    interval: Annotated[
        Interval,
        Field(
            description="The length of the intervals; weeks are ISO weeks. At most"
            f" {INTERVALS_MAX} intervals."
        ),
    ] = Interval.MONTH
    id: Annotated[
        int | None,
        BeforeValidator(whole_number),
        Field(ge=0, le=2**63 - 1, description="Only this customer; all of them if absent."),
    ] = None


class Sums(BaseModel):
    """What was billed and paid in some days."""

    model_config = ConfigDict(frozen=True)

    amount_due: Annotated[Amount, Field(description=_BILLED)]
    total_paid: Annotated[Amount, Field(description=_PAID)]
    received: Annotated[Amount, Field(description=_RECEIVED)]
    invoices: Annotated[int, Field(ge=0, description=_INVOICES)]


class IntervalSums(Sums):
    """What was billed and paid in one interval."""

    start: Annotated[
        date, Field(description="The first day of the interval, also if the period cuts it.")
    ]
    end: Annotated[
        date, Field(description="The last day of the interval, also if the period cuts it.")
    ]
    partial: Annotated[
        bool,
        Field(
            description="Whether the period begins after `start` or ends before `end`; the sums"
            " are those of the days within the period."
        ),
    ]


class Average(BaseModel):
    """The mean of the intervals that are not partial; 4 decimals, ties away from zero."""

    model_config = ConfigDict(frozen=True)

    amount_due: Amount
    total_paid: Amount
    received: Amount
    invoices: Number


class Series(BaseModel):
    """What was billed and paid, interval by interval; the sums of the intervals are the totals."""

    model_config = ConfigDict(frozen=True)

    data: Annotated[tuple[IntervalSums, ...], Field(description="Every interval, also empty ones.")]
    totals: Sums
    average: Annotated[
        Average | None, Field(description="Per full interval; null if each is partial.")
    ]
    meta: Meta
