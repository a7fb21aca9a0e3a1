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
    "state": _link("getSend", "Shows the state of the send."),
    "cancel": _link("cancelSend", "Cancels the mails that have not gone out."),
    "reschedule": _link("rescheduleSend", "Changes the due time of the mails that wait."),
    "resend": _link("resendSend", "Sends the same statement again."),
}
_ACCEPTED_HEADERS = ("Location", "Idempotency-Replayed")

OPERATIONS: dict[Handler, Operation] = {
    handlers.send_transactions: Operation(
        ids=("sendTransactionsFromReport", "sendTransactions", "sendClientTransactions"),
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
                "The send is stored; its mails go out when it is due.",
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
        description="The current state of the send and of each recipient's mail.",
        parameters=("send",),
        answers={200: Answer("The send.", _SEND, examples={"sent": examples.SENT})},
        refusals=(404,),
    ),
    handlers.cancel_send: Operation(
        ids=("cancelSend",),
        tag=_TAG,
        summary="Cancel a send",
        description="Cancels every mail of the send that has not been handed over yet. 409 if no"
        " mail can be cancelled any more.",
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
        summary="Reschedule a send",
        description="Changes the due time of every mail of the send that waits (`scheduled`,"
        " `queued` or `deferred`). `expires_at` moves by the new due time; a frozen statement"
        " stays as it is. 409 if no mail waits; 429 if the quota of the new day does not"
        " suffice.",
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
        summary="Send the same statement again",
        description="Accepts a new send of the same frozen statement to all or some of the same"
        " recipients; its `resend_of` is the id of the first send. 409 if the statement is not"
        " frozen yet.",
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
