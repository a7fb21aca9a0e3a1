from typing import Any, get_args

from services.api.access.daily_counts import MOST
from services.api.core.paging import UUID_CURSOR_FORM, Page
from services.api.openapi import headers, parameters, query_parameters
from services.api.openapi.operation import Answer, Operation, Parameter, page
from services.api.returns.handlers import MAIL
from services.api.returns.model import (
    RECIPIENT_FORM,
    ExplainedReturn,
    Kind,
    ReprocessOptions,
    Return,
    Scope,
)

_TAG = "Returned mail"
_ID = "0198c0de-0000-7000-8000-000000000004"
_RETURN: dict[str, Any] = {
    "id": _ID,
    "received_at": "2026-01-05T09:00:00.000000Z",
    "delivery_id": "0198c0de-0000-7000-8000-000000000002",
    "kind": "bounce",
    "scope": "recipient",
    "permanent": True,
    "status": "5.1.1",
    "diagnostic": "550 5.1.1 <old@client.example>: Recipient address rejected: User unknown",
    "remote_mta": "mx.client.example",
    "form": "delivery-status",
    "effect": ["bounced", "suppressed"],
}
_UNMATCHED: dict[str, Any] = {
    **_RETURN,
    "delivery_id": None,
    "kind": "auto-reply",
    "scope": None,
    "permanent": False,
    "status": None,
    "diagnostic": None,
    "remote_mta": None,
    "form": "automatic-reply",
    "effect": [],
}
_MAIL = """\
From: MAILER-DAEMON@mx.client.example
Subject: Undelivered Mail Returned to Sender
Content-Type: multipart/report; report-type=delivery-status; boundary=edge

--edge
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.client.example

Final-Recipient: rfc822; old@client.example
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 <old@client.example>: Recipient address rejected: User unknown

--edge--
"""
_WHY = (
    "A delivery status notification (RFC 3464) says that a server gave up: status 5.1.1, which is"
    " about the recipient, and will fail again. It changed: the delivery is bounced, its address is"
    " suppressed."
)
_EXPLAINED = {**_RETURN, "why": _WHY}
_PATH_ID = parameters.path_id("return", "The id of the returned mail.", _ID)


def _filter(name: str, description: str, schema: dict[str, Any], **more: Any) -> Parameter:
    return Parameter(f"return_{name}", "query", name, description, schema, is_checked=True, **more)


_RECIPIENT = _filter(
    "recipient",
    "The recipient of the mail's envelope, which is the return path of a mail. Without it, the"
    " first return path in `Delivered-To`, `X-Original-To`, `Envelope-To` and `To` that"
    " Ledgerpost signed counts.",
    {"type": "string", "pattern": RECIPIENT_FORM.replace(r"\x", r"\u00")},
)
_FILTERS = (
    _filter(
        "kind",
        "Only mails of this kind.",
        {"type": "string", "enum": [*get_args(Kind)]},
        example="bounce",
    ),
    _filter("scope", "Only mails of this scope.", {"type": "string", "enum": [*get_args(Scope)]}),
    _filter("delivery_id", "Only mails about this delivery.", parameters.UUID),
    _filter(
        "unmatched",
        "With 1 only mails that match no delivery, with 0 only the others.",
        {"type": "string", "enum": ["0", "1", "true", "false"]},
    ),
    _filter(
        "received_from",
        "Only mails that came on this day of the business or later, or at this time or later.",
        parameters.MOMENT,
        example="2024-11-01",
    ),
    _filter(
        "received_to",
        "Only mails that came on this day of the business or earlier, or at this time or earlier;"
        " not before `received_from`.",
        parameters.MOMENT,
        example="2030-11-30",
    ),
)

ADD = Operation(
    id="addReturn",
    tag=_TAG,
    summary="Post a mail that came back",
    description="Takes in a bounce, a complaint or an automatic reply as it came, at most 2 MiB,"
    " and finds out which delivery it is about and what it says. A bounce that is not `transient`"
    " sets the delivery to `bounced`, and a complaint to `complained`; only a complaint and a"
    " bounce that says that the recipient does not exist suppress the address. All that is stored"
    " before the answer comes. The same mail about the same delivery is a copy, whatever fields"
    " relays added to its header, so the call may be repeated: the answer is the first return. A"
    " mail that matches no delivery is stored and changes nothing. A business may post"
    f" {MOST['returned mails']:,} new ones a day, of together at most"
    f" {MOST['bytes of returned mails'] // 2**20} MiB. If the mail that it is about is being handed"
    " over at this moment, the answer is 503; repeat it after `Retry-After`. It is a 404 if the"
    " delivery is another business's, or if the server has no secret by which it signs return"
    " paths.",
    parameters=(_RECIPIENT,),
    upload=(MAIL,),
    upload_example=_MAIL,
    answers={
        201: Answer(
            "The mail is stored, and what it changes is done.",
            Return,
            examples={"bounce": _RETURN, "matches no delivery": _UNMATCHED},
            headers=(headers.LOCATION,),
        ),
        200: Answer(
            "The mail is a copy; the answer is the first return.",
            Return,
            examples={"first": _RETURN},
            headers=(headers.LOCATION,),
        ),
    },
    refusals=(404,),
)
LIST = Operation(
    id="listReturns",
    tag=_TAG,
    summary="The mails that came back",
    description="Newest first, a page at a time: those about the deliveries of the business, and"
    " those that it posted; each with why it was understood so.",
    parameters=(
        *_FILTERS,
        parameters.LIMIT,
        parameters.cursor("return_cursor", UUID_CURSOR_FORM),
    ),
    answers={200: Answer("A page.", Page[ExplainedReturn], examples={"page": page(_EXPLAINED)})},
)
SHOW = Operation(
    id="getReturn",
    tag=_TAG,
    summary="A mail that came back, and why it was understood so",
    description="The mail itself is shown to operators only.",
    parameters=(_PATH_ID,),
    answers={200: Answer("The return.", ExplainedReturn, examples={"bounce": _EXPLAINED})},
    refusals=(404,),
)
REPROCESS = Operation(
    id="reprocessReturn",
    tag=_TAG,
    summary="Understand a mail that came back again, by the rules of today",
    description="After an upgrade, or for a mail that matched no delivery. Only what the new result"
    " adds is carried out: a mail that was `unknown` and is a bounce now sets its delivery to"
    " `bounced`. What the former result did stays, and nothing is done twice: to mail a suppressed"
    " address again, lift its suppression. Who asked and why is kept. It is a 409 if the mail is no"
    " longer kept, and a 503 if the mail that came back is being handed over at this moment.",
    parameters=(_PATH_ID, *query_parameters.of_model(ReprocessOptions)),
    answers={
        200: Answer(
            "The return as it is now.",
            ExplainedReturn,
            examples={"bounce": _EXPLAINED},
        )
    },
    refusals=(404, 409),
)
