"""What sends, and mails in doubt, look like; a test holds each against its schema."""

from typing import Any

SEND_ID = "019ab3a0-4b5e-7d3c-9d68-6a1f0e5d2c11"
DELIVERY_ID = "019ab3a0-4b5e-7d3d-8a21-2f6b1c9e7a05"

_RECIPIENT: dict[str, Any] = {
    "id": DELIVERY_ID,
    "email": "esi@customers.example.com",
    "state": "scheduled",
    "attempts": 0,
    "reply": None,
    "reason": None,
    "reason_code": None,
    "next_attempt_at": "2026-01-05T09:00:00.000000Z",
    "sent_at": None,
    "updated_at": "2026-01-05T09:00:00.000000Z",
}

ACCEPTED: dict[str, Any] = {
    "id": SEND_ID,
    "message": "Transactions sent",
    "personal_message": "Thank you!",
    "status": "sending",
    "paused": False,
    "customer_id": 4,
    "from": "2024-11-01",
    "to": "2024-11-30",
    "statement_kind": None,
    "locale": None,
    "send_at": "2026-01-05T09:00:00.000000Z",
    "expires_at": "2026-01-08T09:00:00.000000Z",
    "created_at": "2026-01-05T09:00:00.000000Z",
    "statement_sha256": None,
    "figures_sha256": None,
    "resend_of": None,
    "batch_id": None,
    "recipients": [_RECIPIENT],
    "skipped": [
        {
            "email": "old@client.example",
            "reason": "suppressed: unsubscribed by the link in a mail",
            "reason_code": "suppressed_unsubscribed",
        }
    ],
}

# What a send has once its statement is frozen.
_FROZEN = {
    "statement_kind": "activity",
    "locale": "en",
    "statement_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "figures_sha256": "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
}

SENT: dict[str, Any] = {
    **ACCEPTED,
    "status": "sent",
    **_FROZEN,
    "recipients": [
        {
            **_RECIPIENT,
            "state": "sent",
            "attempts": 1,
            "reply": "250 2.0.0 Ok: queued as 4XyZ",
            "next_attempt_at": None,
            "sent_at": "2026-01-05T09:00:01.250000Z",
            "updated_at": "2026-01-05T09:00:01.250000Z",
        }
    ],
}

DRY_RUN: dict[str, Any] = {**ACCEPTED, **_FROZEN, "statement_sha256": None}

CANCELLED: dict[str, Any] = {
    **ACCEPTED,
    "status": "cancelled",
    "recipients": [
        {
            **_RECIPIENT,
            "state": "cancelled",
            "reason": "cancelled on request",
            "reason_code": "cancelled",
            "next_attempt_at": None,
        }
    ],
}

SCHEDULED: dict[str, Any] = {
    **ACCEPTED,
    "message": "Transactions scheduled",
    "status": "scheduled",
    "send_at": "2026-01-31T00:00:00.000000Z",
    "expires_at": "2026-02-03T00:00:00.000000Z",
    "recipients": [{**_RECIPIENT, "next_attempt_at": "2026-01-31T00:00:00.000000Z"}],
}

RESENT: dict[str, Any] = {
    **ACCEPTED,
    "id": "019ab3c7-0a10-7e55-b1c4-95d0f2a7e3b8",
    **_FROZEN,
    "resend_of": SEND_ID,
    "skipped": [],
}

DOUBT: dict[str, Any] = {
    "id": DELIVERY_ID,
    "send_id": SEND_ID,
    "customer_id": 4,
    "email": "esi@customers.example.com",
    "attempts": 1,
    "reply": None,
    "reason": "the connection was lost between the final dot and the reply",
    "reason_code": "reply_missing",
    "in_doubt_since": "2026-01-05T09:10:01.250000Z",
}
