from typing import Any

from services.api.openapi import examples
from services.api.openapi.operation import Answer, Body, Handler, Operation, ref
from services.api.sends import handlers

_TAG = "Sends"
_SEND = ref("Send")


def _link(operation: str, what: str) -> dict[str, Any]:
    return {
        "operationId": operation,
        "parameters": {"id": "$response.body#/id"},
        "description": what,
    }


_LINKS = {
    "state": _link("getSend", "What becomes of the send."),
    "cancel": _link("cancelSend", "Cancels what has not gone out."),
    "reschedule": _link("rescheduleSend", "Puts what waits to another time."),
    "resend": _link("resendSend", "Sends the same statement once more."),
}
_ACCEPTED_HEADERS = ("Location", "Idempotency-Replayed")

OPERATIONS: dict[Handler, Operation] = {
    handlers.send_transactions: Operation(
        ids=("sendTransactionsFromReport", "sendTransactions", "sendClientTransactions"),
        tag=_TAG,
        summary="Mail a customer the statement of a period",
        description="Accepts the send: it and a delivery for each recipient are stored durably"
        " before the answer comes, and each recipient's mail is handed to the mail server at most"
        " once. The statement is frozen when the send becomes due. Of a send that is due now the"
        " answer says `Transactions sent` under `message` beside the `status` `sending`: the"
        " sentence is fixed by contract and means that the send is accepted; `status` and each"
        " recipient's `state` tell what became of it. Malformed or suppressed addresses that are"
        " stored are listed under `skipped`; malformed ones in the request, no recipient left, and"
        " more recipients than the operator allows (25 by default) are a 422. Archived customers"
        " may be sent to.",
        parameters=("customer", "from_query", "to_query", "idempotency_key"),
        body=Body(
            "SendBody",
            {
                "now": {"message": "Thank you!", "other_emails": ["accounts@client.example"]},
                "later, with a copy": {"send_at": "2030-01-31", "copy_to_me": True},
                "nothing": {},
            },
        ),
        answers={
            202: Answer(
                "The send is stored, and goes out now or when it is due.",
                _SEND,
                examples={"sent": examples.ACCEPTED, "scheduled": examples.SCHEDULED},
                headers=_ACCEPTED_HEADERS,
                links=_LINKS,
            )
        },
        refusals=(404, 409, 429),
        preferred="sendTransactions",
    ),
    handlers.list_sends: Operation(
        ids=("listSends",),
        tag=_TAG,
        summary="The history of sends",
        description="The business's sends, newest first, a page at a time.",
        parameters=("customer_id", "status", "limit", "cursor"),
        answers={
            200: Answer("A page.", ref("SendPage"), examples={"page": examples.page(examples.SENT)})
        },
    ),
    handlers.show_send: Operation(
        ids=("getSend",),
        tag=_TAG,
        summary="A send and what became of it",
        description="The send as it stands, with the state of each recipient's mail.",
        parameters=("send",),
        answers={200: Answer("The send.", _SEND, examples={"sent": examples.SENT})},
        refusals=(404,),
    ),
    handlers.cancel_send: Operation(
        ids=("cancelSend",),
        tag=_TAG,
        summary="Cancel a send",
        description="Cancels every mail of the send that has not been handed over yet. 409 where"
        " nothing can be cancelled any more.",
        parameters=("send", "idempotency_key"),
        answers={
            200: Answer(
                "The send.",
                _SEND,
                examples={"cancelled": examples.CANCELLED},
                headers=("Idempotency-Replayed",),
            )
        },
        refusals=(404, 409),
    ),
    handlers.reschedule_send: Operation(
        ids=("rescheduleSend",),
        tag=_TAG,
        summary="Put a send to another time",
        description="Gives every mail of the send that waits another due time: `scheduled`,"
        " `queued` and `deferred` ones. `expires_at` moves along; a frozen statement stays as it"
        " is. 409 where nothing waits; 429 where the new day has no room for them.",
        parameters=("send", "idempotency_key"),
        body=Body(
            "RescheduleBody",
            {"a day": {"send_at": "2030-01-31"}, "a time": {"send_at": "2030-01-31T09:00:00Z"}},
            required=True,
        ),
        answers={
            200: Answer(
                "The send.",
                _SEND,
                examples={"scheduled": examples.SCHEDULED},
                headers=("Idempotency-Replayed",),
            )
        },
        refusals=(404, 409, 429),
    ),
    handlers.resend_send: Operation(
        ids=("resendSend",),
        tag=_TAG,
        summary="Send the same statement once more",
        description="Accepts a new send of the same frozen statement to all or some of the same"
        " recipients; its `resend_of` names the first. 409 where no statement was frozen yet.",
        parameters=("send", "idempotency_key"),
        body=Body(
            "ResendBody",
            {"all": {}, "one": {"recipients": ["esi@customers.example.com"]}},
        ),
        answers={
            202: Answer(
                "The new send is stored.",
                _SEND,
                examples={"sent": examples.RESENT},
                headers=_ACCEPTED_HEADERS,
                links=_LINKS,
            )
        },
        refusals=(404, 409, 429),
    ),
}
