"""What wake-ups and events look like; a test holds each against its schema."""

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

_SCHEDULE_ID = "019b8d2c-0e6a-7c31-9c55-1f1de3a7b001"
_BATCH_ID = "019b8d2c-5a70-7e02-8a6b-6f0b8a3c4d02"

BATCH_STARTED: dict[str, Any] = {
    **SENT,
    "id": f"{_BATCH_ID}.7",
    "type": "com.ledgerpost.batch.expanding.v1",
    "subject": _BATCH_ID,
    "data": {
        "batch_id": _BATCH_ID,
        "business_id": 1,
        "status": "expanding",
        "from": "2025-12-01",
        "to": "2025-12-31",
        "customers": 2400,
        "schedule_id": _SCHEDULE_ID,
        "occurrence": "2026-01-05",
        "reason": None,
        "reason_code": None,
        "counts": None,
        "skipped": None,
        "sequence": 7,
    },
}

BATCH_DONE: dict[str, Any] = {
    **BATCH_STARTED,
    "id": f"{_BATCH_ID}.9",
    "type": "com.ledgerpost.batch.done.v1",
    "time": "2026-01-05T09:04:30.500000Z",
    "data": {
        **BATCH_STARTED["data"],
        "status": "done",
        "counts": {"sent": 2391, "failed": 4},
        "skipped": {"statement_empty": 31, "no_address": 2},
        "sequence": 9,
    },
}

SCHEDULE_SKIPPED: dict[str, Any] = {
    **SENT,
    "id": f"{_SCHEDULE_ID}.6",
    "type": "com.ledgerpost.schedule.skipped.v1",
    "subject": _SCHEDULE_ID,
    "data": {
        "schedule_id": _SCHEDULE_ID,
        "business_id": 1,
        "change": "skipped",
        "occurrence": "2025-12-05",
        "reason": "it was more than an hour late, and the schedule does not catch up",
        "reason_code": "occurrence_late",
        "sequence": 6,
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
