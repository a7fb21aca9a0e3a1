from services.api.openapi import examples
from services.api.openapi.operation import HTML, Answer, Body, Handler, Operation, ref
from services.api.suppressions import handlers, unsubscribe

_TAG = "Suppressions"
_PAGE = {"type": "string"}

OPERATIONS: dict[Handler, Operation] = {
    handlers.show_list: Operation(
        ids=("listSuppressions",),
        tag=_TAG,
        summary="The addresses that the business no longer mails",
        description="Newest first, a page at a time. Sends skip them and say so.",
        parameters=("limit", "suppression_cursor"),
        answers={
            200: Answer(
                "A page.",
                ref("SuppressionPage"),
                examples={"page": examples.page(examples.SUPPRESSION)},
            )
        },
    ),
    handlers.add: Operation(
        ids=("addSuppression",),
        tag=_TAG,
        summary="No longer mail an address",
        description="Puts the address on the list. An older entry stays as it is, so that the act"
        " may be repeated anyway; under an `Idempotency-Key` its answer stays the same, too.",
        parameters=("idempotency_key",),
        body=Body(
            "SuppressionBody",
            {"by hand": {"email": "old@client.example", "reason": "left the company"}},
            required=True,
        ),
        answers={
            201: Answer(
                "It is on the list now.",
                ref("Suppression"),
                examples={"new": {**examples.SUPPRESSION, "reason": "left the company"}},
                headers=("Idempotency-Replayed",),
            ),
            200: Answer(
                "It was on the list already; the answer is that entry.",
                ref("Suppression"),
                examples={"older": examples.SUPPRESSION},
                headers=("Idempotency-Replayed",),
            ),
        },
        refusals=(409,),
    ),
    handlers.lift: Operation(
        ids=("liftSuppression",),
        tag=_TAG,
        summary="Mail an address again",
        description="Takes the address off the list.",
        parameters=("email",),
        answers={204: Answer("It is off the list.")},
        refusals=(404,),
    ),
    unsubscribe.ask: Operation(
        ids=("askToUnsubscribe",),
        tag=_TAG,
        summary="The page behind a mail's unsubscribe link",
        description="Asks its reader for the POST, and changes nothing: link scanners come here.",
        parameters=("token",),
        answers={200: Answer("The page.", _PAGE, HTML)},
        refusals=(404, 503),
    ),
    unsubscribe.unsubscribe: Operation(
        ids=("unsubscribe",),
        tag=_TAG,
        summary="Refuse further mail (RFC 8058)",
        description="Puts the mail's recipient on the list of the business that sent it, as often"
        " as asked.",
        parameters=("token",),
        body=Body(
            "UnsubscribeBody", {"one click": {"List-Unsubscribe": "One-Click"}}, required=True
        ),
        answers={200: Answer("A page that says so.", _PAGE, HTML)},
        refusals=(404, 503),
    ),
}
