from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from services.api.core.money import Money
from services.api.reports.row import Row

_Days = Annotated[Decimal, WithJsonSchema({"type": "number"})]


class ComparedFigures(BaseModel):
    """The figures of a row for the period that the report's period is compared with."""

    model_config = ConfigDict(frozen=True)

    amount_due: Money
    invoice_count: int
    amount_paid: Money | None
    online_amount_paid: Money | None
    total_paid: Money
    owing: Money
    average_payment_terms: _Days


class ChangedFigures(BaseModel):
    """The figures of a row less those of the period that it is compared with; null counts as 0."""

    model_config = ConfigDict(frozen=True)

    amount_due: Money
    invoice_count: int
    amount_paid: Money
    online_amount_paid: Money
    total_paid: Money
    owing: Money
    average_payment_terms: _Days


class ListedRow(Row):
    """A row of the list: the row of one customer, and its comparison if that is asked for."""

    previous: Annotated[
        ComparedFigures | None,
        Field(description="Present only with `compare`, and then never null."),
    ] = None
    change: Annotated[
        ChangedFigures | None,
        Field(description="Present only with `compare`, and then never null."),
    ] = None
