"""Writes what changes about schedules, and what becomes of their occurrences."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from services.api.core.uuid7 import uuid7
from services.api.schedules.model import Outcome
from services.api.schedules.stored import Stored
from services.api.schedules.timing import Occurrence
from shared.db import sql
from shared.db.postgres import Connection
from shared.deliveries.reasons import ReasonCode
from shared.trace import Trace

_queries = sql.load("services.api.schedules")


async def queue_up(conn: Connection, business_id: int) -> int:
    """Return the number of a business's schedules, to which only this transaction may add."""
    return int(await conn.fetchval(_queries.queue_up, business_id))


async def add(
    conn: Connection,
    business_id: int,
    values: Mapping[str, Any],
    first: Occurrence,
    now: datetime,
    trace: Trace | None,
) -> UUID:
    """Add a schedule with these values of its columns, and return its id."""
    schedule_id = uuid7()
    await conn.execute(
        *sql.call(
            _queries.add,
            id=schedule_id,
            business=business_id,
            now=now,
            next_on=first.day,
            next_at=first.at,
            trace=trace and str(trace),
            **values,
        )
    )
    return schedule_id


async def change(
    conn: Connection,
    schedule_id: UUID,
    values: Mapping[str, Any],
    following: Occurrence | None,
    now: datetime,
) -> None:
    """Replace the columns of a schedule that say what it does, and its next occurrence."""
    day, at = following or (None, None)
    await conn.execute(
        *sql.call(_queries.change, id=schedule_id, now=now, next_on=day, next_at=at, **values)
    )


async def remove(conn: Connection, schedule_id: UUID) -> None:
    """Delete a schedule; its batches stay."""
    await conn.execute(_queries.remove, schedule_id)


async def pause(conn: Connection, schedule_id: UUID) -> None:
    """Pause a schedule."""
    await conn.execute(_queries.pause, schedule_id)


async def resume(conn: Connection, schedule_id: UUID) -> None:
    """End the pause of a schedule."""
    await conn.execute(_queries.resume, schedule_id)


async def move(conn: Connection, schedule_id: UUID, following: Occurrence | None) -> None:
    """Give a schedule its next occurrence."""
    day, at = following or (None, None)
    await conn.execute(_queries.move, schedule_id, day, at)


async def put_off(conn: Connection, failed: Stored, reason: str, code: ReasonCode) -> int | None:
    """Have the relay look at a schedule later, the later the more often it failed.

    Returns how often it failed in a row, or None if somebody changed it in the meantime.
    """
    failures: int | None = await conn.fetchval(
        _queries.put_off, failed.id, failed.row["due_at"], reason, code
    )
    return failures


async def settle(
    conn: Connection,
    schedule_id: UUID,
    days: Iterable[date],
    outcome: Outcome,
    batch_id: UUID | None = None,
    reason: str | None = None,
    code: ReasonCode | None = None,
) -> None:
    """Record what became of the occurrences on these local dates."""
    await conn.execute(
        *sql.call(
            _queries.settle,
            schedule=schedule_id,
            days=list(days),
            outcome=outcome,
            batch=batch_id,
            reason=reason,
            code=code,
        )
    )


async def tell(
    conn: Connection,
    schedule_id: UUID,
    what: str,
    day: date | None = None,
    reason: str | None = None,
    code: ReasonCode | None = None,
) -> None:
    """Add an event of a schedule, for the relay to publish."""
    await conn.execute(_queries.tell, schedule_id, what, day, reason, code)
