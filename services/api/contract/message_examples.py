"""What wake-ups and the events of deliveries look like; a test holds each against its schema."""

from typing import Any

from services.api.intake.examples import ACCEPTED, TRACE

_SEND: dict[str, Any] = ACCEPTED["data"]
_DELIVERY_ID: str = _SEND["recipients"][0]["id"]

SENT: dict[str, Any] = {
    "specversion": "1.0",
    "id": f"{_DELIVERY_ID}.42",
    "source": "/ledgerpost",
    "type": "com.ledgerpost.delivery.sent.v1",
    "subject": _SEND["id"],
    "time": "2026-01-05T09:00:01.250000Z",
    "datacontenttype": "application/json",
    "traceparent": TRACE,
    "data": {
        "delivery_id": _DELIVERY_ID,
        "send_id": _SEND["id"],
        "business_id": 1,
        "customer_id": 4,
        "email": "esi@customers.example.com",
        "state": "sent",
        "attempts": 1,
        "reply": "250 2.0.0 Ok: queued as 4XyZ",
        "reason": None,
        "reason_code": None,
        "next_attempt_at": None,
        "sequence": 42,
    },
}

FAILED: dict[str, Any] = {
    **SENT,
    "id": f"{_DELIVERY_ID}.43",
    "type": "com.ledgerpost.delivery.failed.v1",
    "data": {
        **SENT["data"],
        "state": "failed",
        "reply": "550 5.1.1 No such user",
        "reason": "refused at RCPT",
        "reason_code": "recipient_unknown",
        "sequence": 43,
    },
}

WAKEUP: dict[str, Any] = {
    "specversion": "1.0",
    "id": f"{_DELIVERY_ID}.1767603600.500000",
    "source": "/ledgerpost",
    "type": "com.ledgerpost.send-transactions.v1",
    "subject": None,
    "time": "2026-01-05T09:00:00.500000Z",
    "datacontenttype": "application/json",
    "traceparent": TRACE,
    "data": {"delivery_id": _DELIVERY_ID},
}
