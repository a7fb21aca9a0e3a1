from typing import Any, get_args

from services.api.batches import examples
from services.api.batches.accept import CUSTOMERS_MAX, OPEN_MAX
from services.api.batches.frozen_lists import ListedCustomer
from services.api.batches.model import Batch, SkippedCustomer, Status
from services.api.batches.planned import DryRun
from services.api.batches.request import BatchBody, BatchOptions
from services.api.core import bound_cursor
from services.api.core.paging import Page
from services.api.openapi import headers, parameters
from services.api.openapi.operation import Answer, Body, Operation, Parameter, page
from services.api.openapi.periods import CONTENT_LOCATION, PERIOD_QUERY
from services.api.openapi.query_parameters import of_model
from services.api.sends import examples as of_sends
from services.api.sends import parameters as sends
from services.api.sends.send import Send

_TAG = "Batches"
_ID = parameters.path_id("batch", "The batch's id.", examples.BATCH_ID)
_LIST_ID = parameters.path_id(
    "frozen_list", "The id of a frozen list, from a dry run.", examples.FROZEN_LIST_ID
)
_STATUS = Parameter(
    "batch_status",
    "query",
    "status",
    "Only batches of this status.",
    {"type": "string", "enum": list(get_args(Status))},
    example="sending",
    is_checked=True,
)
_SCHEDULE_ID = Parameter(
    "batches_schedule_id",
    "query",
    "schedule_id",
    "Only batches that this schedule made.",
    parameters.UUID,
    is_checked=True,
)
_CREATED_FROM = Parameter(
    "batch_created_from",
    "query",
    "created_from",
    "Only batches that were accepted on this day of the business or later, or at this time or"
    " later.",
    parameters.MOMENT,
    example="2024-11-01",
    is_checked=True,
)
_CREATED_TO = Parameter(
    "batch_created_to",
    "query",
    "created_to",
    "Only batches that were accepted on this day of the business or earlier, or at this time or"
    " earlier; not before `created_from`.",
    parameters.MOMENT,
    example="2030-11-30",
    is_checked=True,
)
_REASON_CODE = Parameter(
    "skipped_reason_code",
    "query",
    "reason_code",
    "Only customers who were skipped for this reason.",
    {"type": "string", "pattern": "^[a-z][a-z0-9_]{0,63}$"},
    example="no_address",
    is_checked=True,
)
_SKIPPED_CURSOR = parameters.cursor("skipped_cursor", bound_cursor.FORM)


def _link(operation: str, what: str, of: str = "id") -> dict[str, Any]:
    return {
        "operationId": operation,
        "parameters": {"id": f"$response.body#/{of}"},
        "description": what,
    }


_LINKS = {
    "state": _link("getBatch", "Shows how far the batch has come."),
    "sends": _link("listBatchSends", "Lists the sends that the batch has become."),
    "skipped": _link("listBatchSkipped", "Lists the customers that are not mailed, with reasons."),
    "cancel": _link("cancelBatch", "Cancels whatever has not been handed over."),
}

SEND_TO_CUSTOMERS = Operation(
    id="sendToCustomers",
    tag=_TAG,
    summary="Mail many customers the statements of a period",
    description="Accepts a batch: the customers that the list selects with the `filter` are stored"
    " durably before the answer comes, and each becomes one send soon after, or when the batch is"
    " due. No customer gets two sends of a batch, and none is forgotten, whatever is restarted"
    " meanwhile. Balances and addresses count as they are when a customer becomes a send. A"
    " customer is skipped, with a reason, if no address is left that may be mailed, if the"
    " statement is empty (unless `skip_empty` is false), or if its closing balance is below"
    " `min_balance`. The quota of the day on which the batch is due is charged with the most"
    " recipients that there can be, and gets back what is not used; a batch over the quota is a"
    f" 429, and nothing is stored. A batch has at most {CUSTOMERS_MAX:,} customers. At most"
    f" {OPEN_MAX} batches of a business are open at a time, besides those of occurrences of"
    " schedules; one more is a 429.",
    parameters=(
        sends.FROM,
        sends.TO,
        PERIOD_QUERY,
        parameters.IDEMPOTENCY_KEY,
        *of_model(BatchOptions, dry_run=1),
    ),
    body=Body(
        BatchBody,
        {
            "everybody who owes": {"filter": {"archived": False, "min_balance": "10"}},
            "some, later": {"filter": {"id": [4, 9]}, "send_at": "2030-01-31"},
            "everybody": {"message": "Thank you!"},
        },
        has_forms=False,
    ),
    answers={
        200: Answer(
            "With `dry_run=1`: the batch that would be made now.",
            DryRun,
            examples={"dry run": examples.DRY_RUN},
            headers=(CONTENT_LOCATION,),
            links={
                "customers": _link(
                    "listFrozenCustomers", "Lists everybody on the list.", "frozen_list/id"
                )
            },
        ),
        202: Answer(
            "The batch is stored; its mails go out when it is due.",
            Batch,
            examples={"now": examples.ACCEPTED, "later": examples.LATER},
            headers=(headers.LOCATION, headers.IDEMPOTENCY_REPLAYED, CONTENT_LOCATION),
            links=_LINKS,
        ),
    },
    refusals=(404, 409, 429),
)
LIST_BATCHES = Operation(
    id="listBatches",
    tag=_TAG,
    summary="The history of batches",
    description="The business's batches, newest first, a page at a time. Each filter that is given"
    " has to be met. A page may have fewer batches than `limit` if they are large: as long as there"
    " is a `next_cursor`, there are more.",
    parameters=(
        _STATUS,
        _SCHEDULE_ID,
        _CREATED_FROM,
        _CREATED_TO,
        parameters.LIMIT,
        sends.CURSOR,
    ),
    answers={200: Answer("A page.", Page[Batch], examples={"page": page(examples.SENDING)})},
)
SHOW_BATCH = Operation(
    id="getBatch",
    tag=_TAG,
    summary="A batch and how far it has come",
    description="The current state of the batch, with the number of its mails in each state and of"
    " its skipped customers by reason. The call is cheap enough to be made once a second.",
    parameters=(_ID,),
    answers={200: Answer("The batch.", Batch, examples={"sending": examples.SENDING})},
    refusals=(404,),
)
LIST_SENDS = Operation(
    id="listBatchSends",
    tag=_TAG,
    summary="The sends of a batch",
    description="The sends that the batch has become so far, newest first, a page at a time, as in"
    " the history of sends. A page may have fewer sends than `limit`, or none, although older ones"
    " follow: as long as there is a `next_cursor`, there may be more.",
    parameters=(_ID, sends.STATUS, parameters.LIMIT, sends.CURSOR),
    answers={
        200: Answer(
            "A page.",
            Page[Send],
            examples={"page": page({**of_sends.SENT, "batch_id": examples.BATCH_ID})},
        )
    },
    refusals=(404,),
)
LIST_SKIPPED = Operation(
    id="listBatchSkipped",
    tag=_TAG,
    summary="The customers that a batch does not mail",
    description="The customers that were skipped so far, by id, a page at a time, each with the"
    " reason.",
    parameters=(_ID, _REASON_CODE, parameters.LIMIT, _SKIPPED_CURSOR),
    answers={
        200: Answer("A page.", Page[SkippedCustomer], examples={"page": page(examples.SKIPPED)})
    },
    refusals=(404,),
)
LIST_FROZEN = Operation(
    id="listFrozenCustomers",
    tag=_TAG,
    summary="Who is on the frozen list of a dry run",
    description="The customers who would be mailed, by id, a page at a time, with the addresses"
    " that the list is bound to. 404 once a batch was made of the list, and after 24 hours.",
    parameters=(_LIST_ID, parameters.LIMIT, _SKIPPED_CURSOR),
    answers={
        200: Answer("A page.", Page[ListedCustomer], examples={"page": page(examples.LISTED)})
    },
    refusals=(404,),
)
CANCEL_BATCH = Operation(
    id="cancelBatch",
    tag=_TAG,
    summary="Cancel a batch",
    description="Cancels every mail of the batch that has not been handed over; customers that"
    " wait are not mailed. Once the answer has come, at most the mails that are at this moment"
    " between their last byte and the mail server's reply still go out: at most one for each"
    " connection of the mailers. A batch that is cancelled already stays as it is. 409 if nothing"
    " can be cancelled any more.",
    parameters=(_ID, parameters.IDEMPOTENCY_KEY),
    answers={
        200: Answer(
            "The batch.",
            Batch,
            examples={"cancelled": examples.CANCELLED},
            headers=(headers.IDEMPOTENCY_REPLAYED,),
        )
    },
    refusals=(404, 409),
)
