"""The answer of the ageing, for the document; Postgres writes the rows as JSON."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from services.api.aging.description import AgingMeta
from services.api.core.money import Amount
from services.api.reports.row import Id, Text

_BUCKETS = frozenset({"1-30", "31-60", "61-90", "over_90"})


def _of_any_buckets(schema: dict[str, Any]) -> None:
    schema["required"] = [name for name in schema["required"] if name not in _BUCKETS]


class AgingAmounts(BaseModel):
    """Amounts by how long they are past due; the buckets have other names with other `buckets`."""

    model_config = ConfigDict(frozen=True, extra="allow", json_schema_extra=_of_any_buckets)

    not_due: Annotated[Amount, Field(description="Open parts that are due on that day or later.")]
    first: Annotated[Amount, Field(alias="1-30", description="Open parts 1 to 30 days past due.")]
    second: Annotated[
        Amount, Field(alias="31-60", description="Open parts 31 to 60 days past due.")
    ]
    third: Annotated[Amount, Field(alias="61-90", description="Open parts 61 to 90 days past due.")]
    over_90: Annotated[Amount, Field(description="Open parts more than 90 days past due.")]
    no_due_date: Annotated[Amount, Field(description="Open parts of documents without a due date.")]
    credits: Annotated[Amount, Field(description="Open parts below zero.")]
    opening: Annotated[Amount, Field(description="The opening balance.")]
    total: Annotated[Amount, Field(description="The sum of all these: the receivable on that day.")]


class AgingRow(AgingAmounts):
    """What one customer owed at the end of a day, by how long it was past due."""

    id: Annotated[Id, Field(description="The customer, unique within the business.")]
    business_name: Text


class AgingAnswer(BaseModel):
    """The ageing of the receivables of a business."""

    model_config = ConfigDict(frozen=True)

    data: Annotated[list[AgingRow], Field(description="The rows.")]
    totals: Annotated[
        AgingAmounts, Field(description="The sums over all rows that the filters choose.")
    ]
    meta: AgingMeta
