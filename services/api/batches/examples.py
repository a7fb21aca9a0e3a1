"""What batches look like; a test holds each against its schema."""

from typing import Any

BATCH_ID = "019ab3d1-7c40-7a11-8e5b-3f0c6d9a4e27"
_PATH = f"/api/v3/batches/{BATCH_ID}"

ACCEPTED: dict[str, Any] = {
    "id": BATCH_ID,
    "status": "expanding",
    "paused": False,
    "reason": None,
    "reason_code": None,
    "from": "2024-11-01",
    "to": "2024-11-30",
    "filter": {"archived": 0, "min_balance": "10"},
    "statement_kind": None,
    "locale": None,
    "personal_message": "Thank you!",
    "other_emails": [],
    "copy_to_me": False,
    "skip_empty": True,
    "min_balance": None,
    "frozen_list": None,
    "schedule_id": None,
    "occurrence": None,
    "send_at": "2026-01-05T09:00:00.000000Z",
    "expires_at": "2026-01-08T09:00:00.000000Z",
    "created_at": "2026-01-05T09:00:00.000000Z",
    "counts": {},
    "skipped": {},
    "progress": {"customers": 312, "expanded": 0, "sends": 0, "finished": 0},
    "links": {
        "self": _PATH,
        "sends": f"{_PATH}/sends",
        "skipped": f"{_PATH}/skipped",
        "cancel": f"{_PATH}/cancel",
    },
}

FROZEN_LIST_ID = "019ab3d1-7c40-7b5e-9d10-6a2f8c4e1b93"

DRY_RUN: dict[str, Any] = {
    "from": "2024-11-01",
    "to": "2024-11-30",
    "send_at": "2026-01-05T09:00:00.000000Z",
    "expires_at": "2026-01-08T09:00:00.000000Z",
    "customers": 312,
    "recipients": 301,
    "skipped": {"no_address": 4, "statement_empty": 11},
    "estimated_seconds": 61,
    "quota": {
        "day": "2026-01-05",
        "limit": 5000,
        "left": 4988,
        "needed": 301,
        "suffices": True,
    },
    "frozen_list": {"id": FROZEN_LIST_ID, "expires_at": "2026-01-06T09:00:00.000000Z"},
    "data": [
        {
            "customer_id": 4,
            "business_name": "Ɛsi Ɔfori Enterprise, Ltd",
            "recipients": ["esi@customers.example.com"],
            "skipped": [
                {
                    "email": "old@customers.example.com",
                    "reason": "suppressed: there is no such address",
                    "reason_code": "suppressed_recipient_unknown",
                }
            ],
            "reason": None,
            "reason_code": None,
        },
        {
            "customer_id": 9,
            "business_name": "Café Owusu",
            "recipients": [],
            "skipped": [],
            "reason": "the customer has no e-mail address",
            "reason_code": "no_address",
        },
    ],
}

LISTED: dict[str, Any] = {
    "customer_id": 4,
    "business_name": "Ɛsi Ɔfori Enterprise, Ltd",
    "recipients": ["esi@customers.example.com"],
}

SENDING: dict[str, Any] = {
    **ACCEPTED,
    "status": "sending",
    "counts": {"failed": 1, "queued": 20, "scheduled": 160, "sent": 122},
    "skipped": {"no_address": 4, "statement_empty": 11},
    "progress": {"customers": 312, "expanded": 312, "sends": 297, "finished": 120},
}

LATER: dict[str, Any] = {
    **ACCEPTED,
    "status": "scheduled",
    "send_at": "2026-01-31T00:00:00.000000Z",
    "expires_at": "2026-02-03T00:00:00.000000Z",
}

CANCELLED: dict[str, Any] = {
    **SENDING,
    "status": "cancelled",
    "counts": {"cancelled": 178, "failed": 1, "sent": 124},
    "progress": {"customers": 312, "expanded": 312, "sends": 297, "finished": 297},
    "links": {**ACCEPTED["links"], "cancel": None},
}

SKIPPED: dict[str, Any] = {
    "customer_id": 9,
    "business_name": "Café Owusu",
    "reason": "the customer has no e-mail address",
    "reason_code": "no_address",
}
