from typing import Any

from services.api.formats.negotiation import Format
from services.api.formats.parameter import format_of
from services.api.openapi import headers, parameters
from services.api.openapi.operation import Answer, Body, Header, Operation
from services.api.openapi.periods import DATES
from services.api.openapi.query_parameters import of_model
from services.api.reports.handlers import ONE_OFFERED
from services.api.reports.listed_row import ListedRow
from services.api.reports.listing.handlers import OFFERED
from services.api.reports.model import FilterBody
from services.api.reports.options import ListOptions
from services.api.reports.row import Row

_TAG = "Reports"

_CONTENT_ENCODING = Header(
    "Content-Encoding",
    "Present if the answer is compressed, because Accept-Encoding prefers gzip.",
    "gzip",
    {"type": "string", "const": "gzip"},
)
_TOTAL = Header(
    "X-Total-Count",
    "On a page: the number of rows of all pages.",
    10_000,
    {"type": "integer", "minimum": 0},
)
_ROW: dict[str, Any] = {
    "id": 4,
    "owner_id": 1,
    "business_id": 1,
    "first_name": "Ɛsi",
    "last_name": "Ɔfori",
    "phone_number": "0200000000",
    "business_name": "Ɛsi Ɔfori Enterprise, Ltd",
    "business_address": "Darkumah, Accra",
    "business_phone": "0300000000",
    "business_location": "Accra",
    "business_email": "esi@customers.example.com",
    "created_at": "2021-01-01 00:00:00",
    "updated_at": "2024-01-01 00:00:00",
    "account_id": 400,
    "category": "Wholesale",
    "category_id": 12,
    "deposit_amount": 12.5,
    "deposit_account_id": 77,
    "archived": 0,
    "amount_due": 900.2,
    "invoice_count": 2,
    "balance": -29.9,
    "amount_paid": 600.1,
    "online_amount_paid": 400,
    "dateFrom": "2024-11-01",
    "dateTo": "2024-11-30",
    "average_payment_terms": 92,
    "owing": -99.9,
    "total_paid": 1000.1,
    "invoices": 2,
}

SHOW_ALL = Operation(
    id="listIncome",
    tag=_TAG,
    summary="Income by customer: every customer",
    description="One row for each customer of the business, including archived customers and"
    " customers without invoices, ordered by `balance`, largest first, then by `id`. All"
    " rows show the same snapshot of the ledger. They are streamed as one array: an answer"
    " that breaks off is incomplete."
    "\n\nThe parameters choose, order, compare and page the rows, and can all be combined. With"
    " `meta=1` JSON is an object of three members: `data` (the array), `totals` (the sums of all"
    " rows that the filters choose, not only of this page; `average_payment_terms` is the mean"
    " over all their documents) and `meta` (what the figures mean, and the ledger's version)."
    " With `amounts=string` amounts are strings.",
    parameters=(
        *DATES,
        *of_model(ListOptions),
        format_of("list", OFFERED),
        parameters.IF_NONE_MATCH,
        parameters.LEDGER_VERSION,
    ),
    answers={
        200: Answer(
            "The rows.",
            ListedRow,
            is_list=True,
            files=tuple(each.media for each in OFFERED if each is not Format.JSON),
            examples={"one customer": [_ROW], "no customer": []},
            headers=(
                headers.ETAG,
                headers.LEDGER_VERSION,
                headers.VARY,
                _CONTENT_ENCODING,
                headers.LINK,
                _TOTAL,
                headers.FILE,
            ),
        ),
        304: Answer(
            "Not changed since the answer with this tag.",
            headers=(headers.ETAG, headers.LEDGER_VERSION, headers.VARY),
        ),
    },
)
SHOW_ONE = Operation(
    id="getIncome",
    tag=_TAG,
    summary="Income by customer: one customer",
    description="The customer's row, the same as in the list.",
    parameters=(parameters.CUSTOMER, *DATES, format_of("customer", ONE_OFFERED)),
    answers={200: Answer("The row.", Row, files=(Format.HTML.media,), examples={"row": _ROW})},
    refusals=(404,),
)
FILTER_ONE = Operation(
    id="filterIncome",
    tag=_TAG,
    summary="Income by customer: the list, filtered by one customer",
    description="An array like that of the list, with only the customer's row. The body may"
    " repeat the path's `id`, `from` and `to`; a value that differs from the path is a"
    " 422.",
    parameters=(parameters.CUSTOMER, *DATES),
    body=Body(
        FilterBody,
        {
            "all": {"id": 4, "from": "2024-11-01", "to": "2024-11-30"},
            "in digits": {"id": "4"},
            "nothing": {},
        },
    ),
    answers={200: Answer("An array with the row.", Row, is_list=True, examples={"rows": [_ROW]})},
    refusals=(404,),
)
