from services.api.openapi import examples
from services.api.openapi.operation import Answer, Body, Handler, Operation, ref
from services.api.reports import handlers

_TAG = "Reports"
_ROWS = {"type": "array", "items": ref("Row")}

OPERATIONS: dict[Handler, Operation] = {
    handlers.show_all: Operation(
        ids=("listIncome",),
        tag=_TAG,
        summary="Income by customer: every customer",
        description="One row for each customer of the business, archived ones and those without"
        " invoices too, by `balance`, the largest first, then by `id`. The rows are one snapshot of"
        " the ledger, streamed as one array: an answer that breaks off was not the whole.",
        parameters=("from", "to", "if_none_match"),
        answers={
            200: Answer(
                "The rows.",
                _ROWS,
                examples={"one customer": [examples.ROW], "no customer": []},
                headers=("ETag", "Vary", "Content-Encoding"),
            ),
            304: Answer(
                "Nothing has changed since the answer of this tag.", headers=("ETag", "Vary")
            ),
        },
    ),
    handlers.show_one: Operation(
        ids=("getIncome",),
        tag=_TAG,
        summary="Income by customer: one customer",
        description="The customer's row, as in the list.",
        parameters=("customer", "from", "to"),
        answers={200: Answer("The row.", ref("Row"), examples={"row": examples.ROW})},
        refusals=(404,),
    ),
    handlers.filter_one: Operation(
        ids=("filterIncome",),
        tag=_TAG,
        summary="Income by customer: the list, filtered by one customer",
        description="An array as in the list, with the customer's row alone. The body may state the"
        " path's `id`, `from` and `to` once more; one that contradicts the path is a 422.",
        parameters=("customer", "from", "to"),
        body=Body(
            "FilterBody",
            {
                "all": {"id": 4, "from": "2024-11-01", "to": "2024-11-30"},
                "in digits": {"id": "4"},
                "nothing": {},
            },
        ),
        answers={200: Answer("The row, in an array.", _ROWS, examples={"rows": [examples.ROW]})},
        refusals=(404,),
    ),
}
