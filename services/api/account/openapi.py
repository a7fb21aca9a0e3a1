from typing import Any

from services.api.account.model import Account
from services.api.openapi.operation import Answer, Operation

_ACCOUNT: dict[str, Any] = {
    "business": {
        "id": 1,
        "name": "Kente & Co",
        "currency": "GHS",
        "timezone": "Africa/Accra",
        "fiscal_year_start": "01-01",
        "locale": "en-GH",
    },
    "key": {
        "id": "5b0f6f0e-64a5-4a6a-9d0f-2f6f4f0d7c11",
        "name": "bookkeeping",
        "scopes": ["reports:read", "transactions:send"],
        "expires_at": None,
    },
    "limits": {
        "rate": {"limit": 6000, "remaining": 5999},
        "daily_quota": {"limit": 5000, "remaining": 4988},
    },
}

SHOW = Operation(
    id="getAccount",
    tag="Account",
    summary="The caller: its business, its key and its limits",
    description="What a client asks first: whose figures it reads, in which currency and timezone,"
    " what its key may do, and how much is left of its limits. Every valid key may ask.",
    answers={200: Answer("The caller.", Account, examples={"account": _ACCOUNT})},
)
