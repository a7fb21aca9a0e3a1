from typing import Any

from services.api.core.paging import UUID_CURSOR_FORM, Page
from services.api.openapi import headers, parameters
from services.api.openapi.operation import Answer, Body, Header, Operation, Parameter, page
from services.api.openapi.periods import CONTENT_LOCATION, PERIOD_QUERY
from services.api.sends import examples
from services.api.sends.request import RescheduleBody, ResendBody, SendBody
from services.api.sends.send import Send

CURSOR = parameters.cursor("cursor", UUID_CURSOR_FORM)

_TAG = "Sends"
_FROM = Parameter(
    "from_query",
    "query",
    "from",
    "The statement's first day, inclusive. Needed unless there is `period`.",
    parameters.DATE,
    example="2024-11-01",
    is_checked=True,
)
_TO = Parameter(
    "to_query",
    "query",
    "to",
    "The statement's last day, inclusive; not before `from`. Needed unless there is `period`.",
    parameters.DATE,
    example="2024-11-30",
    is_checked=True,
)
_ID = Parameter(
    "send",
    "path",
    "id",
    "The send's id.",
    parameters.UUID,
    example=examples.SEND_ID,
    is_required=True,
)
_CUSTOMER_ID = Parameter(
    "customer_id",
    "query",
    "customer_id",
    "Only sends of this customer.",
    parameters.ID,
    example=4,
    is_checked=True,
)
_STATUS = Parameter(
    "status",
    "query",
    "status",
    "Only sends of this status.",
    values_of=(Send, "status"),
    example="sent",
    is_checked=True,
)
_MOMENT = {"anyOf": [parameters.DATE, {"type": "string", "format": "date-time"}]}
_RECIPIENT = Parameter(
    "recipient",
    "query",
    "recipient",
    "Only sends with a mail to this address; its case does not matter.",
    {"type": "string", "format": "idn-email"},
    is_checked=True,
)
_Q = Parameter(
    "message_text",
    "query",
    "q",
    "Only sends whose personal message contains this text, in upper or lower case.",
    {"type": "string", "maxLength": 200},
    is_checked=True,
)
_CREATED_FROM = Parameter(
    "created_from",
    "query",
    "created_from",
    "Only sends that were accepted on this day of the business or later, or at this time or later.",
    _MOMENT,
    example="2024-11-01",
    is_checked=True,
)
_CREATED_TO = Parameter(
    "created_to",
    "query",
    "created_to",
    "Only sends that were accepted on this day of the business or earlier, or at this time or"
    " earlier; not before `created_from`.",
    _MOMENT,
    example="2030-11-30",
    is_checked=True,
)
_LOCATION = Header("Location", "The path of the new send.", f"/api/v3/sends/{examples.SEND_ID}")


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
_ACCEPTED_HEADERS = (_LOCATION, headers.IDEMPOTENCY_REPLAYED)

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
    " default). Statements may also be sent to archived customers.",
    parameters=(parameters.CUSTOMER, _FROM, _TO, PERIOD_QUERY, parameters.IDEMPOTENCY_KEY),
    body=Body(
        SendBody,
        {
            "now": {"message": "Thank you!", "other_emails": ["accounts@client.example"]},
            "later, with a copy": {"send_at": "2030-01-31", "copy_to_me": True},
            "nothing": {},
        },
    ),
    answers={
        202: Answer(
            "The send is stored; its mails go out when it is due.",
            Send,
            examples={"sent": examples.ACCEPTED, "scheduled": examples.SCHEDULED},
            headers=(*_ACCEPTED_HEADERS, CONTENT_LOCATION),
            links=_LINKS,
        )
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
        _CUSTOMER_ID,
        _STATUS,
        _RECIPIENT,
        _Q,
        _CREATED_FROM,
        _CREATED_TO,
        parameters.LIMIT,
        CURSOR,
    ),
    answers={200: Answer("A page.", Page[Send], examples={"page": page(examples.SENT)})},
)
SHOW_SEND = Operation(
    id="getSend",
    tag=_TAG,
    summary="A send and what became of it",
    description="The current state of the send and of each recipient's mail.",
    parameters=(_ID,),
    answers={200: Answer("The send.", Send, examples={"sent": examples.SENT})},
    refusals=(404,),
)
CANCEL_SEND = Operation(
    id="cancelSend",
    tag=_TAG,
    summary="Cancel a send",
    description="Cancels every mail of the send that has not been handed over yet. 409 if no"
    " mail can be cancelled any more.",
    parameters=(_ID, parameters.IDEMPOTENCY_KEY),
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
    parameters=(_ID, parameters.IDEMPOTENCY_KEY),
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
    description="Accepts a new send of the same frozen statement to all or some of the same"
    " recipients; its `resend_of` is the id of the first send. 409 if the statement is not"
    " frozen yet.",
    parameters=(_ID, parameters.IDEMPOTENCY_KEY),
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
