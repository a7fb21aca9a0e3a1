from typing import Any

from services.api.aging.answer import AgingAnswer
from services.api.aging.handlers import OFFERED
from services.api.aging.options import AgingOptions
from services.api.formats.negotiation import Format
from services.api.formats.parameter import format_of
from services.api.openapi import headers, parameters
from services.api.openapi.operation import Answer, Operation
from services.api.openapi.query_parameters import of_model

_AMOUNTS = {
    "not_due": 300,
    "1-30": 120.5,
    "31-60": 0,
    "61-90": 0,
    "over_90": 80,
    "no_due_date": 0,
    "credits": -29.9,
    "opening": 100,
    "total": 570.6,
}
_EXAMPLE: dict[str, Any] = {
    "data": [{"id": 4, "business_name": "Ɛsi Ɔfori Enterprise, Ltd", **_AMOUNTS}],
    "totals": _AMOUNTS,
    "meta": {
        "basis": "accrual",
        "date_field": "issue_date",
        "from": "0001-01-01",
        "to": "2024-11-30",
        "inclusive": True,
        "excluded": {"documents": ["draft", "void"], "payments": ["pending", "failed"]},
        "timezone": "Africa/Accra",
        "currency": "GHS",
        "definition": "2026-11",
        "generated_at": "2024-12-02T08:00:00.000000Z",
        "ledger_version": "17.1733126400000000",
        "filters": {},
        "as_of": "2024-11-30",
        "buckets": [30, 60, 90],
        "later_edits": "Documents and payments are counted by their dates, as the ledger has them"
        " now: what was entered, changed or deleted after that day is included.",
    },
}

SHOW = Operation(
    id="showAging",
    tag="Reports",
    summary="Ageing of receivables, as of any day",
    description="The receivable of each customer as it stood at the end of a day, by the dates of"
    " documents and payments, and how long it was past due. A document's open part is its signed"
    " total (invoice +, credit note −; 0 before its issue date) less its settled payments up to"
    " that day; only issued documents count. Open parts above zero stand in the bucket of the"
    " document's due date, those below zero in `credits`. `total` is the sum of all parts and of"
    " the opening balance: the receivable of that day. Every customer has a row, except with"
    " `active=1`.",
    parameters=(
        *of_model(AgingOptions, as_of="2024-11-30", buckets="30,60,90"),
        format_of("aging", OFFERED),
        parameters.IF_NONE_MATCH,
        parameters.LEDGER_VERSION,
    ),
    answers={
        200: Answer(
            "The rows, their totals over all pages, and what they mean.",
            AgingAnswer,
            files=tuple(each.media for each in OFFERED if each is not Format.JSON),
            examples={"one customer": _EXAMPLE},
            headers=(headers.ETAG, headers.LEDGER_VERSION, headers.VARY),
        ),
        304: Answer(
            "Not changed since the answer with this tag.",
            headers=(headers.ETAG, headers.LEDGER_VERSION, headers.VARY),
        ),
    },
)
