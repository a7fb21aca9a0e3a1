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
        description="One row for each customer of the business, including archived customers and"
        " customers without invoices, ordered by `balance`, largest first, then by `id`. All"
        " rows show the same snapshot of the ledger. They are streamed as one array: an answer"
        " that breaks off is incomplete.",
        parameters=("from", "to", "if_none_match"),
        answers={
            200: Answer(
                "The rows.",
                _ROWS,
                examples={"one customer": [examples.ROW], "no customer": []},
                headers=("ETag", "Vary", "Content-Encoding"),
            ),
            304: Answer("Not changed since the answer with this tag.", headers=("ETag", "Vary")),
        },
    ),
    handlers.show_one: Operation(
        ids=("getIncome",),
        tag=_TAG,
        summary="Income by customer: one customer",
        description="The customer's row, the same as in the list.",
        parameters=("customer", "from", "to"),
        answers={200: Answer("The row.", ref("Row"), examples={"row": examples.ROW})},
        refusals=(404,),
    ),
    handlers.filter_one: Operation(
        ids=("filterIncome",),
        tag=_TAG,
        summary="Income by customer: the list, filtered by one customer",
        description="An array like that of the list, with only the customer's row. The body may"
        " repeat the path's `id`, `from` and `to`; a value that differs from the path is a"
        " 422.",
        parameters=("customer", "from", "to"),
        body=Body(
            "FilterBody",
            {
                "all": {"id": 4, "from": "2024-11-01", "to": "2024-11-30"},
                "in digits": {"id": "4"},
                "nothing": {},
            },
        ),
        answers={200: Answer("An array with the row.", _ROWS, examples={"rows": [examples.ROW]})},
        refusals=(404,),
    ),
}
