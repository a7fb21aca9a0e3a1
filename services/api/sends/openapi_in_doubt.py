from services.api.core.paging import Page
from services.api.openapi import headers, parameters
from services.api.openapi.operation import Answer, Body, Operation, page
from services.api.sends import examples
from services.api.sends.parameters import CURSOR
from services.api.sends.request import ResolveBody
from services.api.sends.send import Doubt, Send

_TAG = "Mails in doubt"
_ID = parameters.path_id("delivery", "The id of the recipient's delivery.", examples.DELIVERY_ID)

LIST_DOUBTS = Operation(
    id="listMailsInDoubt",
    tag=_TAG,
    summary="The mails in doubt, which may or may not have gone out",
    description="The mails whose connection, worker or mail server failed between the final"
    " dot and the reply; oldest first, a page at a time.",
    parameters=(parameters.LIMIT, CURSOR),
    answers={200: Answer("A page.", Page[Doubt], examples={"page": page(examples.DOUBT)})},
)
RESOLVE_DOUBT = Operation(
    id="resolveMailInDoubt",
    tag=_TAG,
    summary="Settle a mail in doubt",
    description="Records what a person found in the mail server's log, or decides what"
    " happens to the mail. A reply that arrives later changes nothing. 409 if the mail is"
    " not in doubt.",
    parameters=(_ID, parameters.IDEMPOTENCY_KEY),
    body=Body(ResolveBody, {"it has it": {"as": "sent"}}, is_required=True),
    answers={
        200: Answer(
            "The mail's send.",
            Send,
            examples={"sent": examples.SENT},
            headers=(headers.IDEMPOTENCY_REPLAYED,),
        )
    },
    refusals=(404, 409),
)
