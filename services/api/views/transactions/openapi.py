from typing import Any

from services.api.formats.parameter import format_of
from services.api.openapi import headers, parameters
from services.api.openapi.operation import Operation
from services.api.openapi.periods import DATES
from services.api.openapi.query_parameters import of_model
from services.api.views import openapi
from services.api.views.examples import META
from services.api.views.paged import FORMATS
from services.api.views.paging import PageOptions
from services.api.views.transactions.model import Transactions

_STEPS: dict[str, Any] = {
    "opening_balance": 500,
    "invoiced": 1000.3,
    "credited": 100.1,
    "paid": 1100.1,
    "refunded": 0,
    "closing_balance": 300.1,
}


def _line(day: str, kind: str, number: str, balance: float, **given: float) -> dict[str, Any]:
    return {
        "date": day,
        "kind": kind,
        "number": number,
        "document_id": given["document_id"],
        "payment_id": given.get("payment_id"),
        "charge": given.get("charge"),
        "credit": given.get("credit"),
        "balance": balance,
    }


EXAMPLE: dict[str, Any] = {
    "opening_balance": _STEPS["opening_balance"],
    "data": [
        _line("2024-11-01", "invoice", "INV1", 1500.1, document_id=1, charge=1000.1),
        _line("2024-11-11", "payment", "INV1", 900, document_id=1, payment_id=1, credit=600.1),
        _line("2024-11-15", "payment", "INV3", 400, document_id=3, payment_id=3, credit=500),
        _line("2024-11-20", "credit_note", "CN1", 299.9, document_id=7, credit=100.1),
        _line("2024-11-30", "invoice", "INV2", 300.1, document_id=2, charge=0.2),
    ],
    "closing_balance": _STEPS["closing_balance"],
    "reconciliation": {**_STEPS, "holds": True},
    "next_cursor": None,
    "meta": META,
}

TRANSACTIONS = Operation(
    id="listTransactions",
    tag=openapi.TAG,
    summary="A customer's account: documents, payments and balances",
    description="The lines of the statement that is mailed, with the balance after each, and the"
    " balances before and after the period. Documents stand at their issue date and payments at"
    " `paid_on`, so an invoice of the period may be paid on a line after it, and a payment may be"
    " on a document of another period. A line's `balance` is that of the whole account, on each"
    " page.",
    parameters=(
        parameters.CUSTOMER,
        *DATES,
        *of_model(PageOptions),
        format_of("transactions", FORMATS),
        parameters.IF_NONE_MATCH,
        parameters.LEDGER_VERSION,
    ),
    answers=openapi.answers(
        "The account.", Transactions, FORMATS, (headers.LINK,), november=EXAMPLE
    ),
    refusals=(404,),
)
