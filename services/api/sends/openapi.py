from typing import Any

from services.api.core.paging import Page
from services.api.openapi import headers, parameters
from services.api.openapi.operation import Answer, Body, Operation, page
from services.api.openapi.periods import CONTENT_LOCATION, PERIOD_QUERY
from services.api.openapi.query_parameters import of_model
from services.api.sends import examples
from services.api.sends import parameters as given
from services.api.sends.request import RescheduleBody, ResendBody, SendBody, SendOptions
from services.api.sends.send import Send

_TAG = "Sends"


def _link(operation: str, what: str) -> dict[str, Any]:
    return {
        "operationId": operation,
        "parameters": {"id": "$response.body#/id"},
        "description": what,
    }


_LINKS = {
    "state": _link("getSend", "Shows the state of the send."),
    "cancel": _link("cancelSend", "Cancels the mails that have not gone out."),
    "reschedule": _link("rescheduleSend", "Changes the due time of the mails that wait."),
    "resend": _link("resendSend", "Sends the same statement again."),
}
_ACCEPTED_HEADERS = (headers.LOCATION, headers.IDEMPOTENCY_REPLAYED)

SEND_TRANSACTIONS = Operation(
    id="sendTransactions",
    tag=_TAG,
    summary="Mail a customer the statement of a period",
    description="Accepts the send: it and a delivery for each recipient are stored durably"
    " before the answer comes, and each recipient's mail is handed to the mail server at most"
    " once. The statement is frozen when the send becomes due. For a send that is due now, the"
    " answer has the `message` `Transactions sent` and the `status` `sending`: the message is"
    " fixed by contract and means that the send is accepted; `status` and each recipient's"
    " `state` show what became of it. Stored addresses that are malformed or suppressed are"
    " listed under `skipped`. The request is a 422 if it contains a malformed address, if no"
    " recipient is left, or if there are more recipients than the operator allows (25 by"
    " default). Statements may also be sent to archived customers. A statement has at most 5,000"
    " lines, transactions and open items together: a dry run of a longer one, and a send of it that"
    " is due now, is a 422 about `period`. A later send is accepted, and fails with the"
    " `reason_code` `statement_too_long` if its statement is too long when it is due.",
    parameters=(
        *(parameters.CUSTOMER, given.FROM, given.TO, PERIOD_QUERY),
        *of_model(SendOptions, dry_run=1),
        parameters.IDEMPOTENCY_KEY,
    ),
    body=Body(
        SendBody,
        {
            "now": {"message": "Thank you!", "other_emails": ["accounts@client.example"]},
            "later, with a copy": {"send_at": "2030-01-31", "copy_to_me": True},
            "open items in French": {"statement_kind": "open-items", "locale": "fr"},
            "nothing": {},
        },
    ),
    answers={
        200: Answer(
            "Of a dry run: the send that would be made, with the kind, the language and the"
            " `figures_sha256` that its statement would have now. Nothing is stored, so no other"
            " call knows the ids.",
            Send,
            examples={"dry run": examples.DRY_RUN},
            headers=(CONTENT_LOCATION,),
        ),
        202: Answer(
            "The send is stored; its mails go out when it is due.",
            Send,
            examples={"sent": examples.ACCEPTED, "scheduled": examples.SCHEDULED},
            headers=(*_ACCEPTED_HEADERS, CONTENT_LOCATION),
            links=_LINKS,
        ),
    },
    refusals=(404, 409, 429),
)
LIST_SENDS = Operation(
    id="listSends",
    tag=_TAG,
    summary="The history of sends",
    description="The business's sends, newest first, a page at a time. Each filter that is given"
    " has to be met. A page may have fewer sends than `limit`, or none, although older ones"
    " follow: as long as there is a `next_cursor`, there may be more.",
    parameters=(
        given.CUSTOMER_ID,
        given.STATUS,
        given.RECIPIENT,
        given.Q,
        given.BATCH_ID,
        given.SCHEDULE_ID,
        given.CREATED_FROM,
        given.CREATED_TO,
        parameters.LIMIT,
        given.CURSOR,
    ),
    answers={200: Answer("A page.", Page[Send], examples={"page": page(examples.SENT)})},
)
SHOW_SEND = Operation(
    id="getSend",
    tag=_TAG,
    summary="A send and what became of it",
    description="The current state of the send and of each recipient's mail.",
    parameters=(given.ID,),
    answers={200: Answer("The send.", Send, examples={"sent": examples.SENT})},
    refusals=(404,),
)
CANCEL_SEND = Operation(
    id="cancelSend",
    tag=_TAG,
    summary="Cancel a send",
    description="Cancels every mail of the send that has not been handed over yet. 409 if no"
    " mail can be cancelled any more.",
    parameters=(given.ID, parameters.IDEMPOTENCY_KEY),
    answers={
        200: Answer(
            "The send.",
            Send,
            examples={"cancelled": examples.CANCELLED},
            headers=(headers.IDEMPOTENCY_REPLAYED,),
        )
    },
    refusals=(404, 409),
)
RESCHEDULE_SEND = Operation(
    id="rescheduleSend",
    tag=_TAG,
    summary="Reschedule a send",
    description="Changes the due time of every mail of the send that waits (`scheduled`,"
    " `queued` or `deferred`). `expires_at` moves by the new due time; a frozen statement"
    " stays as it is. 409 if no mail waits; 429 if the quota of the new day does not"
    " suffice.",
    parameters=(given.ID, parameters.IDEMPOTENCY_KEY),
    body=Body(
        RescheduleBody,
        {"a day": {"send_at": "2030-01-31"}, "a time": {"send_at": "2030-01-31T09:00:00Z"}},
        is_required=True,
    ),
    answers={
        200: Answer(
            "The send.",
            Send,
            examples={"scheduled": examples.SCHEDULED},
            headers=(headers.IDEMPOTENCY_REPLAYED,),
        )
    },
    refusals=(404, 409, 429),
)
RESEND_SEND = Operation(
    id="resendSend",
    tag=_TAG,
    summary="Send the same statement again",
    description="Accepts a new send of the same frozen statement, in the same kind and language, to"
    " all or some of the same recipients; its `resend_of` is the id of the first send. 409 if the"
    " statement is not frozen yet.",
    parameters=(given.ID, parameters.IDEMPOTENCY_KEY),
    body=Body(
        ResendBody,
        {"all": {}, "one": {"recipients": ["esi@customers.example.com"]}},
    ),
    answers={
        202: Answer(
            "The new send is stored.",
            Send,
            examples={"sent": examples.RESENT},
            headers=_ACCEPTED_HEADERS,
            links=_LINKS,
        )
    },
    refusals=(404, 409, 429),
)
