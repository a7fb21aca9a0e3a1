from typing import Any

from services.api.branding.handlers import PNG, UPLOADED
from services.api.branding.model import BrandingBody, BusinessBranding
from services.api.openapi.operation import Answer, Body, Operation

_TAG = "Branding"
_SET: dict[str, Any] = {
    "accent": "#0b5c4d",
    "sender_name": "Kente Traders",
    "reply_to": "accounts@kente.example",
    "how_to_pay": "Bank: Example Bank\nAccount: 0123 4567 89",
    "pay_link": "https://pay.example/kente?amount={amount}&ref={reference}",
    "paper": "a4",
    "statement_kind": "activity-with-open-items",
    "attach_csv": False,
}
_BRANDING: dict[str, Any] = {
    **_SET,
    "logo": {"sha256": "5d41" * 16, "width": 480, "height": 120},
    "updated_at": "2026-01-05T09:00:00.000000Z",
}
_FROZEN = (
    "A statement keeps the branding that it was frozen with: what has been sent does not change."
)

SHOW = Operation(
    id="getBranding",
    tag=_TAG,
    summary="How the statements of the business look",
    description="Any key of the business may read it. A business that never set it has the"
    " defaults.",
    answers={
        200: Answer("The branding.", BusinessBranding, examples={"branding": _BRANDING}),
    },
)
REPLACE = Operation(
    id="replaceBranding",
    tag=_TAG,
    summary="Replace the branding",
    description="Replaces all fields; one that is missing gets its default. The logo stays."
    f" {_FROZEN}",
    body=Body(BrandingBody, {"a shop": _SET}, is_required=True),
    answers={
        200: Answer("The branding as it is now.", BusinessBranding, examples={"set": _BRANDING}),
    },
)
SHOW_LOGO = Operation(
    id="getLogo",
    tag=_TAG,
    summary="The logo as mails show it",
    description="A PNG on an opaque ground, of at most 600 by 240 pixels.",
    answers={200: Answer("The picture.", schema={"type": "string", "format": "binary"}, media=PNG)},
    refusals=(404,),
)
REPLACE_LOGO = Operation(
    id="replaceLogo",
    tag=_TAG,
    summary="Replace the logo",
    description="The body is a PNG or a JPEG file, which its content decides and not its type: at"
    " most 1,000,000 octets and 2,000 pixels a side. It is stored as a PNG without metadata; a"
    " transparent picture is put on white, so that it can be seen in dark mode."
    f" A business may change its logo 50 times a day. {_FROZEN}",
    upload=UPLOADED,
    answers={
        200: Answer("The branding as it is now.", BusinessBranding, examples={"set": _BRANDING}),
    },
)
DROP_LOGO = Operation(
    id="removeLogo",
    tag=_TAG,
    summary="Remove the logo",
    description=f"Later statements show the name instead. It may be repeated. {_FROZEN}",
    answers={204: Answer("There is no logo now.")},
)
