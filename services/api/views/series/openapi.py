from typing import Any

from services.api.formats.parameter import format_of
from services.api.openapi import parameters
from services.api.openapi.operation import Operation
from services.api.openapi.periods import DATES
from services.api.openapi.query_parameters import of_model
from services.api.views import openapi
from services.api.views.examples import META
from services.api.views.series.handlers import FORMATS
from services.api.views.series.model import Series, SeriesOptions

_SUMS: dict[str, Any] = {
    "amount_due": 900.2,
    "total_paid": 1000.1,
    "received": 1100.1,
    "invoices": 2,
}
EXAMPLE: dict[str, Any] = {
    "data": [{"start": "2024-11-01", "end": "2024-11-30", "partial": False, **_SUMS}],
    "totals": _SUMS,
    "average": _SUMS,
    "meta": {**META, "filters": {"id": 4}},
}

SERIES = Operation(
    id="showSeries",
    tag=openapi.TAG,
    summary="Income over time",
    description="What was billed and paid in each day, week, month, quarter or year of the period,"
    " of all customers or of one. The sums of the first and the last interval are those of the days"
    " within the period. `totals` are the list's totals of the whole period.",
    parameters=(
        *DATES,
        *of_model(SeriesOptions, interval="month"),
        format_of("series", FORMATS),
        parameters.IF_NONE_MATCH,
        parameters.LEDGER_VERSION,
    ),
    answers=openapi.answers("The series.", Series, FORMATS, november=EXAMPLE),
    refusals=(404,),
)
