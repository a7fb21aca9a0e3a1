from typing import Any

from services.api.core.paging import TEXT_CURSOR_FORM, Page
from services.api.openapi import headers, parameters, query_parameters
from services.api.openapi.operation import HTML, Answer, Body, Operation, Parameter, page
from services.api.suppressions.model import (
    LiftedSuppression,
    LiftOptions,
    Suppression,
    SuppressionBody,
)
from services.api.suppressions.unsubscribe import UnsubscribeBody

_TAG = "Suppressions"
_PAGE = {"type": "string"}
_CURSOR = parameters.cursor("suppression_cursor", TEXT_CURSOR_FORM)
_EMAIL = Parameter(
    "email",
    "path",
    "email",
    "The address; its case does not matter, and its domain may be Unicode or ASCII.",
    {"type": "string"},
    example="accounts@client.example",
    is_required=True,
)
_TOKEN = Parameter(
    "token",
    "path",
    "token",
    "The signed part of the link in a mail.",
    {"type": "string"},
    is_required=True,
)
_SUPPRESSION: dict[str, Any] = {
    "email": "old@client.example",
    "reason": "unsubscribed by the link in a mail",
    "reason_code": "suppressed_unsubscribed",
    "created_at": "2026-01-05T09:00:00.000000Z",
}

_LIFTED: dict[str, Any] = {
    "email": "old@client.example",
    "reason": "550 5.1.1 user unknown",
    "reason_code": "suppressed_bounced",
    "suppressed_at": "2026-01-05T09:00:00.000000Z",
    "lifted_at": "2026-01-06T09:00:00.000000Z",
    "lifted_by": "key 5d3f0c4e-6c1c-4c5e-8f0b-3c1f0e6f3a11",
    "why": "the mailbox exists again",
}

SHOW_LIST = Operation(
    id="listSuppressions",
    tag=_TAG,
    summary="The addresses that the business no longer mails",
    description="Newest first, a page at a time. Sends skip these addresses and list them under"
    " `skipped`.",
    parameters=(parameters.LIMIT, _CURSOR),
    answers={
        200: Answer(
            "A page.",
            Page[Suppression],
            examples={"page": page(_SUPPRESSION)},
        )
    },
)
ADD = Operation(
    id="addSuppression",
    tag=_TAG,
    summary="Suppress an address",
    description="Adds the address to the list. If it is on the list already, that entry stays"
    " as it is, so the call may be repeated. With an `Idempotency-Key` a repetition also"
    " gets the same answer.",
    parameters=(parameters.IDEMPOTENCY_KEY,),
    body=Body(
        SuppressionBody,
        {"by hand": {"email": "old@client.example", "reason": "left the company"}},
        is_required=True,
    ),
    answers={
        201: Answer(
            "The address was added.",
            Suppression,
            examples={
                "new": {
                    **_SUPPRESSION,
                    "reason": "left the company",
                    "reason_code": "suppressed_by_business",
                }
            },
            headers=(headers.IDEMPOTENCY_REPLAYED,),
        ),
        200: Answer(
            "The address was on the list already; the answer is that entry.",
            Suppression,
            examples={"older": _SUPPRESSION},
            headers=(headers.IDEMPOTENCY_REPLAYED,),
        ),
    },
    refusals=(409,),
)
SHOW_LIFTED = Operation(
    id="listLiftedSuppressions",
    tag=_TAG,
    summary="The addresses that are mailed again",
    description="Who lifted which suppression, when and why; newest first, a page at a time.",
    parameters=(parameters.LIMIT, _CURSOR),
    answers={
        200: Answer("A page.", Page[LiftedSuppression], examples={"page": page(_LIFTED)}),
    },
)
LIFT = Operation(
    id="liftSuppression",
    tag=_TAG,
    summary="Mail an address again",
    description="Removes the address from the list. Which key asked, when and why is kept as long"
    " as the history: `GET /api/v3/lifted-suppressions`.",
    parameters=(_EMAIL, *query_parameters.of_model(LiftOptions)),
    answers={204: Answer("The address was removed.")},
    refusals=(404,),
)
ASK = Operation(
    id="askToUnsubscribe",
    tag=_TAG,
    summary="The page behind a mail's unsubscribe link",
    description="A page with a button that sends the POST. The GET itself changes nothing,"
    " because link scanners follow links.",
    parameters=(_TOKEN,),
    answers={200: Answer("The page.", schema=_PAGE, media=HTML)},
    refusals=(404, 503),
)
UNSUBSCRIBE = Operation(
    id="unsubscribe",
    tag=_TAG,
    summary="Unsubscribe a recipient (RFC 8058)",
    description="Adds the mail's recipient to the list of the business that sent the mail. It"
    " may be repeated.",
    parameters=(_TOKEN,),
    body=Body(UnsubscribeBody, {"one click": {"List-Unsubscribe": "One-Click"}}, is_required=True),
    answers={200: Answer("A page that confirms it.", schema=_PAGE, media=HTML)},
    refusals=(404, 503),
)
