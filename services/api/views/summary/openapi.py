from typing import Any

from services.api.formats.parameter import format_of
from services.api.openapi import parameters
from services.api.openapi.operation import Operation
from services.api.openapi.periods import DATES
from services.api.openapi.query_parameters import of_model
from services.api.views import openapi
from services.api.views.examples import META
from services.api.views.summary.handlers import FORMATS
from services.api.views.summary.model import Summary, SummaryOptions

_FIGURES: dict[str, Any] = {
    "deposit_amount": 12.5,
    "amount_due": 900.2,
    "invoice_count": 2,
    "balance": -29.9,
    "amount_paid": 600.1,
    "online_amount_paid": 400,
    "average_payment_terms": 92,
    "owing": -99.9,
    "total_paid": 1000.1,
    "invoices": 2,
}
_COUNT = {"count": 1, "active": 1}
EXAMPLE: dict[str, Any] = {
    "totals": _FIGURES,
    "customers": _COUNT,
    "top": [
        {"id": 4, "business_name": "Ɛsi Ɔfori Enterprise, Ltd", **_FIGURES, "share": 100},
    ],
    "by_category": [
        {
            "category_id": 12,
            "category": "Wholesale",
            "customers": _COUNT,
            **_FIGURES,
            "share": 100,
        },
    ],
    "meta": {**META, "filters": {"id": [4]}},
}

SUMMARY = Operation(
    id="showSummary",
    tag=openapi.TAG,
    summary="Income at a glance: totals, the largest customers, categories",
    description="The sums of the list, the customers with the largest figure `by`, and the sums of"
    " each category, over the customers that the filters choose and from one snapshot of the"
    " ledger. `totals` are the list's totals with the same filters.",
    parameters=(
        *DATES,
        *of_model(SummaryOptions, by="amount_due", limit=10),
        format_of("summary", FORMATS),
        parameters.IF_NONE_MATCH,
        parameters.LEDGER_VERSION,
    ),
    answers=openapi.answers("The summary.", Summary, FORMATS, november=EXAMPLE),
)
