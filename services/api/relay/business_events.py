"""The events of batches and schedules that the relay has not published yet."""

from datetime import timedelta
from typing import Any

import asyncpg
import orjson

from services.api.batches.messages import FINAL, BatchChange, BatchEvent
from services.api.schedules.messages import ScheduleChange, ScheduleEvent
from shared.db import sql
from shared.db.postgres import Connection

_QUERIES = sql.load("services.api.relay", "business_events.sql")
_COUNTED = [f"batch.{phase}" for phase in FINAL]

BusinessEvent = BatchEvent | ScheduleEvent


async def unpublished(conn: Connection, limit: int) -> list[BusinessEvent]:
    """Return the oldest unpublished events."""
    return [_event(row) for row in await conn.fetch(_QUERIES.unpublished, limit, _COUNTED)]


async def mark_published(conn: Connection, events: list[BusinessEvent]) -> None:
    """Record that the broker confirmed these events."""
    await conn.execute(_QUERIES.published, [event.data.sequence for event in events])


async def prune(conn: Connection, limit: int, age: timedelta) -> bool:
    """Delete published events older than `age`, and return whether there may be more."""
    return await conn.execute(_QUERIES.prune, limit, age) != "DELETE 0"


def _event(row: asyncpg.Record) -> BusinessEvent:
    noun, what = row["type"].split(".")
    about = row[f"{noun}_id"]
    told: dict[str, Any] = {
        "id": f"{about}.{row['sequence']}",
        "type": f"com.ledgerpost.{noun}.{what}.v1",
        "subject": str(about),
        "time": row["occurred_at"],
        "traceparent": row["traceparent"],
    }
    # Each model takes the columns that it knows.
    if noun == "schedule":
        return ScheduleEvent(data=ScheduleChange.model_validate({**row, "change": what}), **told)
    numbers = {name: row[name] and orjson.loads(row[name]) for name in ("counts", "skipped")}
    change = BatchChange.model_validate({**row, "status": what, **numbers})
    return BatchEvent(data=change, **told)
