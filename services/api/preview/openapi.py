from typing import Any

from services.api.formats.negotiation import Format
from services.api.formats.parameter import format_of
from services.api.openapi import headers, parameters
from services.api.openapi.operation import Answer, Body, Header, Operation
from services.api.openapi.periods import DATES
from services.api.openapi.query_parameters import of_model
from services.api.preview.handlers import FIGURES, OFFERED
from services.api.preview.options import PreviewOptions
from services.api.sends.request import SendBody

_FORMAT = format_of("preview", OFFERED)
_SAME = (
    "The processes that make mails make it: the same snapshot gives the same bytes, except"
    " that the PDF says *Preview* in place of the hash, and that the `eml` has no link for"
    " unsubscribing, no return path and ids of no mail. The page shows the logo, which the mail"
    " attaches. Nothing is stored, and no quota is used."
)
_FIGURES = Header(
    FIGURES,
    "SHA-256 of the snapshot without its time: the `figures_sha256` of a send with the same"
    " figures, texts and branding.",
    "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
)
_BRANDING: dict[str, Any] = {
    "accent": None,
    "sender_name": None,
    "reply_to": None,
    "how_to_pay": "Example Bank, account 0123456789",
    "pay_link": None,
    "paper": "a4",
    "attach_csv": False,
    "logo_sha256": None,
    "logo_width": None,
    "logo_height": None,
}
_SNAPSHOT: dict[str, Any] = {
    "generated_at": "2024-12-01T08:00:00Z",
    "version": 2,
    "template_version": 4,
    "kind": "activity",
    "locale": "en",
    "branding": _BRANDING,
    "business": {"id": 1, "name": "Kente & Co", "currency": "GHS", "timezone": "Africa/Accra"},
    "customer": {"id": 4, "business_name": "Ɛsi Ɔfori Enterprise, Ltd"},
    "from": "2024-11-01",
    "to": "2024-11-30",
    "opening_balance": 500,
    "transactions": [],
    "totals": {"invoiced": 0, "credited": 0, "paid": 0, "refunded": 0},
    "closing_balance": 500,
    "open_items": None,
    "aging": {"not_due": 500, "total": 500},
    "coming": {"dates": [{"due_date": "2024-12-15", "open": 500}], "later": 0},
    "report": {"id": 4, "balance": 500},
}
_COMING: dict[str, Any] = {
    "type": "object",
    "description": "What is due on the last day of the period or later, by due date: the first 31"
    " dates each, in order, and the sum of all that is due after them. They add up to"
    " `aging.not_due`. Snapshots that were frozen before template version 4 do not have it.",
    "required": ["dates", "later"],
    "properties": {
        "dates": {
            "type": "array",
            "maxItems": 31,
            "items": {
                "type": "object",
                "required": ["due_date", "open"],
                "properties": {
                    "due_date": {"type": "string", "format": "date"},
                    "open": {"type": "number"},
                },
            },
        },
        "later": {"type": "number"},
    },
}
_ANSWERS = {
    200: Answer(
        "The statement. JSON is the snapshot, exactly as it would be frozen.",
        schema={
            "type": "object",
            "description": "A snapshot: its first member is `generated_at`, and `version` tells the"
            " form of the others.",
            "required": ["generated_at", "version"],
            "properties": {
                "generated_at": {"type": "string", "format": "date-time"},
                "version": {"type": "integer"},
                "coming": _COMING,
            },
            "additionalProperties": True,
        },
        files=tuple(each.media for each in OFFERED if each is not Format.JSON),
        examples={"nothing has changed in November": _SNAPSHOT},
        headers=(_FIGURES, headers.FILE),
    )
}

SHOW = Operation(
    id="previewStatement",
    tag="Sends",
    summary="The statement that a send would carry now",
    description=f"What a send without a body would carry. {_SAME}",
    parameters=(parameters.CUSTOMER, *DATES, *of_model(PreviewOptions), _FORMAT),
    answers=_ANSWERS,
    refusals=(404,),
)
SHOW_SEND = Operation(
    id="previewSend",
    tag="Sends",
    summary="The mail that a send would carry now",
    description="What a send with this body would carry: the mail has its message. The `eml` is"
    f" addressed to the first recipient. {_SAME}",
    parameters=(parameters.CUSTOMER, *DATES, _FORMAT),
    body=Body(
        SendBody,
        {"with a message": {"message": "Thank you!", "statement_kind": "open-items"}, "plain": {}},
    ),
    answers=_ANSWERS,
    refusals=(404,),
)
