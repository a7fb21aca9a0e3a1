from enum import StrEnum
from typing import Annotated

from pydantic import Field, WithJsonSchema

from services.api.core.query_values import Flag
from services.api.formats.json_value import Amounts
from services.api.reports.basis import Basis
from services.api.reports.filters import Filters
from services.api.reports.paging import Paging
from services.api.reports.sort import Sort, sort_by, sort_schema

# The fields of a row by which the list can be sorted.
SORTS = (
    "balance",
    "amount_due",
    "amount_paid",
    "online_amount_paid",
    "total_paid",
    "owing",
    "deposit_amount",
    "invoice_count",
    "invoices",
    "average_payment_terms",
    "business_name",
    "created_at",
    "id",
)


class Compare(StrEnum):
    """The period with which a report's period is compared."""

    PREVIOUS_PERIOD = "previous-period"
    PREVIOUS_YEAR = "previous-year"


HowAmounts = Annotated[
    Amounts,
    Field(
        description="How JSON has money: as numbers, or as strings of the same digits for"
        " programs that would read numbers as floats."
    ),
]
Bom = Annotated[
    Flag,
    Field(description="1: CSV begins with a byte order mark, by which Excel knows UTF-8."),
]


class ListOptions(Filters, Paging):
    """The query parameters of the list, which can all be combined."""

    sort: Annotated[
        Sort,
        sort_by(SORTS),
        WithJsonSchema(sort_schema(SORTS)),
        Field(
            default="-balance",
            validate_default=True,
            description="The field that orders the rows, with a leading `-` for the largest first."
            " Rows with equal values are ordered by `id`, smallest first; null comes last in both"
            " directions. Names are ordered as the Unicode Collation Algorithm does.",
        ),
    ]
    compare: Annotated[
        Compare | None,
        Field(
            description="Adds to each row the figures of another period (`previous`) and the"
            " difference (`change`). `previous-period`: the same number of whole months before, if"
            " the period is n months from one day of the month on, at most the 28th; otherwise as"
            " many days. `previous-year`: the same days of the year before; the end of a month"
            " stays the end of a month."
        ),
    ] = None
    basis: Annotated[
        Basis,
        Field(
            description="`accrual`: `amount_paid`, `online_amount_paid` and `total_paid` are the"
            " payments on the documents of the period, whatever their date. `cash`: the payments"
            " whose `paid_on` lies in the period, whatever the date of the document; all other"
            " fields stay the same, also `owing`."
        ),
    ] = Basis.ACCRUAL
    amounts: HowAmounts = Amounts.NUMBER
    meta: Annotated[
        Flag,
        Field(
            description="1: JSON is an object of the rows (`data`), their sums (`totals`, over all"
            " pages) and what the figures mean (`meta`)."
        ),
    ] = False
    bom: Bom = False
