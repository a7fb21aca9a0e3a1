from datetime import date
from typing import Annotated

from pydantic import BeforeValidator, Field, ValidationInfo, WithJsonSchema

from services.api.aging.model import Buckets, buckets
from services.api.core.fields import day
from services.api.core.query_values import Flag
from services.api.formats.json_value import Amounts
from services.api.reports.filters import CustomerFilters
from services.api.reports.options import Bom, HowAmounts
from services.api.reports.paging import Paging
from services.api.reports.sort import Sort, read_sort

_OTHER_SORTS = ("total", "business_name", "id")


def _read_buckets(value: object) -> object:
    return buckets(value) if isinstance(value, str) else value


def _read_sort(value: object, info: ValidationInfo) -> object:
    chosen: Buckets = info.data.get("buckets", Buckets())
    return read_sort(value, (*chosen.parts, *_OTHER_SORTS))


class AgingOptions(CustomerFilters, Paging):
    """The query parameters of the ageing, which can all be combined."""

    FILTERS = (*CustomerFilters.FILTERS, "active")

    as_of: Annotated[
        date | None,
        BeforeValidator(lambda value: None if value is None else day(value)),
        Field(
            description="The day at whose end the receivables are shown, by the dates of documents"
            " and payments. Today, on the calendar of the business, if absent."
        ),
    ] = None
    buckets: Annotated[
        Buckets,
        BeforeValidator(_read_buckets),
        WithJsonSchema(
            {
                "type": "string",
                "pattern": "^[1-9][0-9]{0,3}(,[1-9][0-9]{0,3}){0,7}$",
            }
        ),
        Field(
            default="30,60,90",
            validate_default=True,
            description="The last day past due of each bucket: 1 to 8 whole numbers from 1 to 3650,"
            " in ascending order. They name the buckets: `15,45` makes `1-15`, `16-45` and"
            " `over_45`.",
        ),
    ]
    active: Annotated[
        Flag,
        Field(description="1: only customers with a part that is not zero."),
    ] = False
    sort: Annotated[
        Sort,
        BeforeValidator(_read_sort),
        WithJsonSchema({"type": "string", "maxLength": 20, "default": "-total"}),
        Field(
            default="-total",
            validate_default=True,
            description="The field that orders the rows: a bucket, `not_due`, `no_due_date`,"
            " `credits`, `opening`, `total`, `business_name` or `id`, with a leading `-` for the"
            " largest first. Rows with equal values are ordered by `id`, smallest first; null comes"
            " last in both directions.",
        ),
    ]
    amounts: HowAmounts = Amounts.NUMBER
    bom: Bom = False
