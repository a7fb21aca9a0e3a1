from services.api.openapi import examples
from services.api.openapi.operation import Answer, Body, Handler, Operation, ref
from services.api.sends import handlers

_TAG = "Mails in doubt"

OPERATIONS: dict[Handler, Operation] = {
    handlers.list_doubts: Operation(
        ids=("listMailsInDoubt",),
        tag=_TAG,
        summary="The mails in doubt, which may or may not have gone out",
        description="The mails whose connection, worker or mail server failed between the final"
        " dot and the reply; oldest first, a page at a time.",
        parameters=("limit", "cursor"),
        answers={
            200: Answer(
                "A page.", ref("DoubtPage"), examples={"page": examples.page(examples.DOUBT)}
            )
        },
    ),
    handlers.resolve_doubt: Operation(
        ids=("resolveMailInDoubt",),
        tag=_TAG,
        summary="Settle a mail in doubt",
        description="Records what a person found in the mail server's log, or decides what"
        " happens to the mail. A reply that arrives later changes nothing. 409 if the mail is"
        " not in doubt.",
        parameters=("delivery", "idempotency_key"),
        body=Body("ResolveBody", {"it has it": {"as": "sent"}}, required=True),
        answers={
            200: Answer(
                "The mail's send.",
                ref("Send"),
                examples={"sent": examples.SENT},
                headers=("Idempotency-Replayed",),
            )
        },
        refusals=(404, 409),
    ),
}
