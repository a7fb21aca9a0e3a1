"""Requests over the queue and their answers; a test holds each against its schema."""

from typing import Any

from services.api.sends import examples

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

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
    "traceparent": TRACE,
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
