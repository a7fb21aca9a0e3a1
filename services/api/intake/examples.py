"""Requests over the queue and their answers; a test holds each against its schema."""

from typing import Any

from services.api.batches import examples as batches
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

BATCH_REQUEST: dict[str, Any] = {
    **REQUEST,
    "id": "statements-2024-11",
    "type": "com.ledgerpost.batch-request.v1",
    "data": {
        "from": "2024-11-01",
        "to": "2024-11-30",
        "filter": {"archived": False, "min_balance": "10"},
        "message": "Thank you!",
    },
}

BATCH_ACCEPTED: dict[str, Any] = {
    **ACCEPTED,
    "id": "b31d5c7e9f2a4680a1c3e5f708192a3b",
    "type": "com.ledgerpost.batch-request.accepted.v1",
    "subject": batches.BATCH_ID,
    "requestid": BATCH_REQUEST["id"],
    "data": batches.ACCEPTED,
}

BATCH_REFUSED: dict[str, Any] = {
    **BATCH_ACCEPTED,
    "id": "7a6b5c4d3e2f1a0b9c8d7e6f5a4b3c2d",
    "type": "com.ledgerpost.batch-request.refused.v1",
    "subject": None,
    "data": {
        **REFUSED["data"],
        "detail": "filter: selects no customer",
        "errors": [{"field": "filter", "message": "selects no customer"}],
    },
}
