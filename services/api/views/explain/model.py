from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from services.api.core.money import Amount
from services.api.formats.report import Column, Kind
from services.api.reports.meta import Meta
from services.api.reports.row import Id
from services.api.views.explain.fields import FIELDS
from services.api.views.model import NextCursor, Number
from services.api.views.options import BasisOptions
from services.api.views.paging import PageOptions

_PARAMETERS = {"type": "array", "items": {"type": ["integer", "string"]}}


class ExplainOptions(BasisOptions, PageOptions):
    """The query parameters of an explanation."""


class Query(BaseModel):
    """The query of all parts of a figure, for Postgres."""

    model_config = ConfigDict(frozen=True)

    query: Annotated[
        str, Field(description="Over the tables that the import writes; its rows are the parts.")
    ]
    parameters: Annotated[
        tuple[Any, ...],
        WithJsonSchema(_PARAMETERS),
        Field(description="The values of `$1`, `$2` and so on."),
    ]


class Part(BaseModel):
    """One of the records that add up to a figure."""

    model_config = ConfigDict(frozen=True)

    amount: Annotated[
        Amount,
        Field(
            description="What the record adds to the figure, with its sign: an amount; 1 for each"
            " invoice that is counted; a number of days for `average_payment_terms`."
        ),
    ]
    days: Annotated[
        Number | None,
        Field(
            description="Only for `average_payment_terms`: the days from issue to the latest"
            " positive settled payment, the same as `amount`."
        ),
    ] = None
    document_id: Annotated[
        Id | None, Field(description="The document, or the document that the payment is on.")
    ]
    payment_id: Annotated[Id | None, Field(description="The payment, if the record is one.")]
    deposit_id: Annotated[Id | None, Field(description="The deposit, if the record is one.")]
    date: Annotated[
        date | None,
        Field(description="`issue_date`, `paid_on` or `entry_date`; null for the opening balance."),
    ]
    number: Annotated[str | None, Field(description="The number of the document.")]
    kind: Literal["invoice", "credit_note", "payment", "refund", "deposit", "opening_balance"]
    status: Annotated[
        Literal["issued", "settled"] | None,
        Field(description="The status of the document or the payment."),
    ]


class ExplainedFigure(BaseModel):
    """A figure of a customer's row, and the records that add up to it, the largest first."""

    model_config = ConfigDict(frozen=True)

    field: Annotated[str, Field(json_schema_extra={"enum": list(FIELDS)})]
    total: Annotated[
        Amount | None,
        Field(
            description="The figure as the row has it: the sum of all parts, over all pages, or"
            " their mean for `average_payment_terms`. Null if the row has null, which means that"
            " there is no part."
        ),
    ]
    definition: Annotated[str, Field(description="The meaning of the figure, in a sentence.")]
    sql: Annotated[Query, Field(description="The same as a query of the ledger.")]
    data: tuple[Part, ...]
    next_cursor: NextCursor
    meta: Meta


def columns(kind: Kind) -> Sequence[Column]:
    """Return the columns of the parts of a figure, which is of this kind."""
    days = (Column("days", kind, "Days"),) if kind is Kind.DAYS else ()
    return (
        Column("amount", kind, "Amount"),
        *days,
        Column("document_id", Kind.ID, "Document"),
        Column("payment_id", Kind.ID, "Payment"),
        Column("deposit_id", Kind.ID, "Deposit"),
        Column("date", Kind.DATE, "Date"),
        Column("number", Kind.TEXT, "Number"),
        Column("kind", Kind.TEXT, "Kind"),
        Column("status", Kind.TEXT, "Status"),
    )
