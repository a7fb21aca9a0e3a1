from typing import Any

from services.api.openapi.operation import HTML, Answer, Operation, Parameter
from services.api.verify.model import Verified
from services.api.verify.written import HASH_CHARS_MAX, PLAIN_CHARS_MAX

_HASH = "9f2c4e6a8b0d1f3e5c7a9b1d3f5e7c9a0b2d4f6e8c0a1b3d5f7e9c1a3b5d7f9e"
_SHA256 = Parameter(
    "statement_sha256",
    "path",
    "sha256",
    "The hash at the foot of the statement's PDF, in hexadecimal; blanks between its groups do no"
    " harm. It is also the `statement_sha256` of the send.",
    {"type": "string", "maxLength": HASH_CHARS_MAX},
    example=_HASH,
    is_required=True,
)
_CLOSING = Parameter(
    "closing",
    "query",
    "closing",
    "The statement's closing balance as a decimal; `1234.5` and `1234.50` are the same.",
    {"type": "string", "pattern": "^-?[0-9]+([.][0-9]+)?$", "maxLength": PLAIN_CHARS_MAX},
    example="1234.50",
    is_required=True,
    is_checked=True,
)
_STATEMENT: dict[str, Any] = {
    "sha256": _HASH,
    "business": "Kente & Co",
    "currency": "GHS",
    "locale": "en",
    "from": "2024-11-01",
    "to": "2024-11-30",
    "generated_at": "2024-12-01T08:00:00.000000Z",
    "closing_balance": 1234.5,
    "how_to_pay": "Example Bank, account 0123456789",
    "pay_link": "https://pay.example/kente?amount=1234.50&reference=4-2024-11-30",
}

VERIFY = Operation(
    id="verifyStatement",
    tag="Verification",
    summary="What a statement on paper really says",
    description="Whoever has a statement can find out whether somebody has changed it, for"
    " example the bank details. No key is needed, but the statement's hash and its closing"
    " balance. Another balance, an unknown hash and that of a statement that is not kept any more"
    " get the same 404. At most 60 requests a minute are answered for each hash. A browser gets"
    " a page, which also takes the balance as it is printed.",
    parameters=(_SHA256, _CLOSING),
    answers={
        200: Answer(
            "What the statement says.",
            Verified,
            files=(HTML,),
            examples={"statement": _STATEMENT},
        )
    },
    refusals=(404, 429, 503),
)
