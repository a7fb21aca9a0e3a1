"""Examples of messages; a test validates each against its schema."""

from typing import Any

from services.api.openapi import examples

_TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

REQUEST: dict[str, Any] = {
    "specversion": "1.0",
    "id": "invoice-run-2024-11/4",
    "source": "/crm",
    "type": "com.ledgerpost.send-request.v1",
    "data": {
        "customer_id": 4,
        "from": "2024-11-01",
        "to": "2024-11-30",
        "message": "Thank you!",
        "other_emails": ["accounts@client.example"],
    },
}

ACCEPTED: dict[str, Any] = {
    "specversion": "1.0",
    "id": "5f0c3b9e6a1d47c2b8e4f7a90c1d2e3f",
    "source": "/ledgerpost",
    "type": "com.ledgerpost.send-request.accepted.v1",
    "subject": examples.SEND_ID,
    "time": "2026-01-05T09:00:00.012000Z",
    "datacontenttype": "application/json",
    "traceparent": _TRACE,
    "requestid": REQUEST["id"],
    "requestsource": REQUEST["source"],
    "data": examples.ACCEPTED,
}

REFUSED: dict[str, Any] = {
    **ACCEPTED,
    "id": "0d9f1c2b3a4e5d6c7b8a99887766554f",
    "type": "com.ledgerpost.send-request.refused.v1",
    "subject": None,
    "data": {
        "type": "/problems/invalid-input",
        "title": "The input is not valid",
        "status": 422,
        "detail": "from: should not be after to",
        "errors": [{"field": "from", "message": "should not be after to"}],
    },
}

SENT: dict[str, Any] = {
    "specversion": "1.0",
    "id": f"{examples.DELIVERY_ID}.42",
    "source": "/ledgerpost",
    "type": "com.ledgerpost.delivery.sent.v1",
    "subject": examples.SEND_ID,
    "time": "2026-01-05T09:00:01.250000Z",
    "datacontenttype": "application/json",
    "traceparent": _TRACE,
    "data": {
        "delivery_id": examples.DELIVERY_ID,
        "send_id": examples.SEND_ID,
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
    "id": f"{examples.DELIVERY_ID}.43",
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
    "id": f"{examples.DELIVERY_ID}.1767603600.500000",
    "source": "/ledgerpost",
    "type": "com.ledgerpost.send-transactions.v1",
    "subject": None,
    "time": "2026-01-05T09:00:00.500000Z",
    "datacontenttype": "application/json",
    "traceparent": _TRACE,
    "data": {"delivery_id": examples.DELIVERY_ID},
}
