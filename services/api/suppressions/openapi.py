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
        description="Newest first, a page at a time. Sends skip these addresses and list them under"
        " `skipped`.",
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
        summary="Suppress an address",
        description="Adds the address to the list. If it is on the list already, that entry stays"
        " as it is, so the call may be repeated. With an `Idempotency-Key` a repetition also"
        " gets the same answer.",
        parameters=("idempotency_key",),
        body=Body(
            "SuppressionBody",
            {"by hand": {"email": "old@client.example", "reason": "left the company"}},
            required=True,
        ),
        answers={
            201: Answer(
                "The address was added.",
                ref("Suppression"),
                examples={
                    "new": {
                        **examples.SUPPRESSION,
                        "reason": "left the company",
                        "reason_code": "suppressed_by_business",
                    }
                },
                headers=("Idempotency-Replayed",),
            ),
            200: Answer(
                "The address was on the list already; the answer is that entry.",
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
        description="Removes the address from the list.",
        parameters=("email",),
        answers={204: Answer("The address was removed.")},
        refusals=(404,),
    ),
    unsubscribe.ask: Operation(
        ids=("askToUnsubscribe",),
        tag=_TAG,
        summary="The page behind a mail's unsubscribe link",
        description="A page with a button that sends the POST. The GET itself changes nothing,"
        " because link scanners follow links.",
        parameters=("token",),
        answers={200: Answer("The page.", _PAGE, HTML)},
        refusals=(404, 503),
    ),
    unsubscribe.unsubscribe: Operation(
        ids=("unsubscribe",),
        tag=_TAG,
        summary="Unsubscribe a recipient (RFC 8058)",
        description="Adds the mail's recipient to the list of the business that sent the mail. It"
        " may be repeated.",
        parameters=("token",),
        body=Body(
            "UnsubscribeBody", {"one click": {"List-Unsubscribe": "One-Click"}}, required=True
        ),
        answers={200: Answer("A page that confirms it.", _PAGE, HTML)},
        refusals=(404, 503),
    ),
}
