from typing import Any

from services.api.formats.parameter import format_of
from services.api.openapi import headers, parameters
from services.api.openapi.operation import Operation, Parameter
from services.api.openapi.periods import DATES
from services.api.openapi.query_parameters import of_model
from services.api.views import openapi
from services.api.views.examples import META
from services.api.views.explain.fields import FIELDS
from services.api.views.explain.model import ExplainedFigure, ExplainOptions
from services.api.views.paged import FORMATS

_FIELD = Parameter(
    "figure",
    "path",
    "field",
    "A figure of the customer's row. Other fields cannot be explained: 404.",
    {"type": "string", "enum": list(FIELDS)},
    example="owing",
    is_required=True,
)
_QUERY = """SELECT ...
FROM invoices i
WHERE i.business_id = $1 AND i.customer_id = $2 AND i.status = 'issued'
    AND i.issue_date BETWEEN $3 AND $4
UNION ALL
SELECT ..."""


def _part(amount: float, kind: str, day: str, number: str, **ids: int) -> dict[str, Any]:
    of_payment = "payment_id" in ids
    return {
        "amount": amount,
        "document_id": ids["document_id"],
        "payment_id": ids.get("payment_id"),
        "deposit_id": None,
        "date": day,
        "number": number,
        "kind": kind,
        "status": "settled" if of_payment else "issued",
    }


EXAMPLE: dict[str, Any] = {
    "field": "owing",
    "total": -99.9,
    "definition": FIELDS["owing"].accrual.definition,
    "sql": {"query": _QUERY, "parameters": [1, 4, "2024-11-01", "2024-11-30"]},
    "data": [
        _part(1000.1, "invoice", "2024-11-01", "INV1", document_id=1),
        _part(-600.1, "payment", "2024-11-11", "INV1", document_id=1, payment_id=1),
        _part(-400, "payment", "2025-02-01", "INV1", document_id=1, payment_id=2),
        _part(-100.1, "credit_note", "2024-11-20", "CN1", document_id=7),
        _part(0.2, "invoice", "2024-11-30", "INV2", document_id=2),
    ],
    "next_cursor": None,
    "meta": META,
}

EXPLAIN = Operation(
    id="explainFigure",
    tag=openapi.TAG,
    summary="What makes up a figure of a customer's row",
    description="The documents, payments, deposits and the opening balance that add up to one"
    " figure of the row, each with its part, and the meaning of the figure in words and as a"
    " query. Parts are ordered by their size without the sign, largest first, then by"
    " `document_id` or `deposit_id`, then by `payment_id`, a document before the payments on it."
    " The figure and its parts are of one snapshot of the ledger; a page that is read later is of"
    " a later one, as its `meta.ledger_version` says.",
    parameters=(
        parameters.CUSTOMER,
        *DATES,
        _FIELD,
        *of_model(ExplainOptions),
        format_of("explain", FORMATS),
        parameters.IF_NONE_MATCH,
        parameters.LEDGER_VERSION,
    ),
    answers=openapi.answers(
        "The figure and its parts.", ExplainedFigure, FORMATS, (headers.LINK,), owing=EXAMPLE
    ),
    refusals=(404,),
)
