"""What schedules look like; a test holds each example against its schema."""

from typing import Any

from services.api.batches.examples import ACCEPTED

SCHEDULE_ID = "019ab3a0-4b5e-7d3c-9d68-6a1f0e5d2c40"
_PATH = f"/api/v3/schedules/{SCHEDULE_ID}"

NEXT: dict[str, Any] = {
    "occurrence": "2026-02-02",
    "at": "2026-02-02T09:00:00+01:00",
    "from": "2026-01-01",
    "to": "2026-01-31",
}

ACTIVE: dict[str, Any] = {
    "id": SCHEDULE_ID,
    "name": "Statements of the month",
    "status": "active",
    "reason": None,
    "reason_code": None,
    "rule": {"every": "month", "working_day": 1},
    "description": "the 1st working day of every month at 09:00",
    "time": "09:00",
    "timezone": "Europe/Berlin",
    "period": "last-month",
    "filter": {"archived": 0},
    "statement_kind": "open-items",
    "message": None,
    "locale": None,
    "other_emails": [],
    "copy_to_me": False,
    "skip_empty": True,
    "min_balance": "10.00",
    "catch_up": "send-late",
    "starts_on": "2026-01-05",
    "ends_on": None,
    "next": NEXT,
    "last": None,
    "paused_at": None,
    "created_at": "2026-01-05T09:00:00.000000Z",
    "updated_at": "2026-01-05T09:00:00.000000Z",
    "links": {
        "self": _PATH,
        "upcoming": f"{_PATH}/upcoming",
        "batches": f"/api/v3/batches?schedule_id={SCHEDULE_ID}",
    },
}
CHANGED: dict[str, Any] = {
    **ACTIVE,
    "rule": {"every": "month", "day": "last"},
    "description": "the last day of every month at 18:30",
    "time": "18:30",
    "period": "this-month",
    "next": {
        "occurrence": "2026-01-31",
        "at": "2026-01-31T18:30:00+01:00",
        "from": "2026-01-01",
        "to": "2026-01-31",
    },
    "updated_at": "2026-01-05T09:10:00.000000Z",
}
PAUSED: dict[str, Any] = {
    **ACTIVE,
    "status": "paused",
    "next": None,
    "paused_at": "2026-01-06T09:00:00.000000Z",
    "updated_at": "2026-01-06T09:00:00.000000Z",
}
SKIPPED: dict[str, Any] = {
    **ACTIVE,
    "next": {
        "occurrence": "2026-03-02",
        "at": "2026-03-02T09:00:00+01:00",
        "from": "2026-02-01",
        "to": "2026-02-28",
    },
    "last": {
        "occurrence": "2026-02-02",
        "outcome": "skipped",
        "batch_id": None,
        "reason": None,
        "reason_code": None,
    },
}
UPCOMING: dict[str, Any] = {
    "data": [
        {**NEXT, "skipped": False, "customers": 214, "recipients": 231},
        {**SKIPPED["next"], "skipped": True, "customers": 214, "recipients": 231},
    ]
}
RUN: dict[str, Any] = {
    **ACCEPTED,
    "filter": ACTIVE["filter"],
    "statement_kind": "open-items",
    "personal_message": None,
    "min_balance": "10.00",
    "schedule_id": SCHEDULE_ID,
}
