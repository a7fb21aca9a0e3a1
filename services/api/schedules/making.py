"""Makes the batch of an occurrence, or records why there is none."""

from datetime import timedelta
from typing import Final, Literal
from uuid import UUID

from services.api.batches import accept
from services.api.batches.model import Batch
from services.api.core.refusals import Invalid
from services.api.schedules import records, store
from services.api.schedules.advance import UnknownTimezone, is_known, move_on, next_beyond
from services.api.schedules.body import CatchUp
from services.api.schedules.stored import Stored
from services.api.schedules.timing import Occurrence
from services.api.sends.terms import Terms
from shared.db.postgres import Connection
from shared.deliveries.reasons import ReasonCode
from shared.text import cut
from shared.trace import Trace

LATE_AFTER: Final = timedelta(hours=1)
_LATE: Final = "it was more than an hour late, and the schedule does not catch up"
_REASON_CHARS_MAX: Final = 200


async def make_next(conn: Connection, schedule: Stored, terms: Terms) -> Batch | None:
    """Settle the next occurrence of a schedule, which is due, and return its batch if one is made.

    For a transaction that has locked the schedule: it makes the batch, records the outcome and
    moves the schedule on, all or nothing. Raises UnknownTimezone, and whatever accepting a batch
    raises.
    """
    occurrence = schedule.next
    if occurrence is None:
        return None
    if not is_known(schedule.timing.timezone):
        raise UnknownTimezone(schedule)
    batch = await _settle(conn, schedule, occurrence, terms)
    await move_on(conn, schedule, await next_beyond(conn, schedule, occurrence))
    return batch


async def run(
    conn: Connection, business_id: int, schedule_id: UUID, terms: Terms, trace: Trace | None
) -> Batch:
    """Make a batch of a schedule now, which is none of its occurrences, and return it.

    Its period is counted from the local date of today. Raises NotFound, UnknownTimezone, Invalid
    about `period`, and OverQuota; the schedule may be paused or have ended.
    """
    schedule = await store.one(conn, business_id, schedule_id)
    if not is_known(schedule.timing.timezone):
        raise UnknownTimezone(schedule)
    try:
        period = schedule.period(schedule.timing.today(schedule.now))
    except ValueError as error:
        raise Invalid("period", str(error)) from None
    return await accept.accept(
        conn,
        business_id,
        schedule.request(period),
        terms,
        trace,
        schedule=accept.MadeBy(schedule_id, None),
    )


async def _settle(
    conn: Connection, schedule: Stored, occurrence: Occurrence, terms: Terms
) -> Batch | None:
    is_late = schedule.now - occurrence.at > LATE_AFTER
    if is_late and schedule.catch_up is CatchUp.SKIP:
        await _leave_out(conn, schedule, occurrence, "skipped", _LATE, ReasonCode.OCCURRENCE_LATE)
        return None
    try:
        period = schedule.period(occurrence.day)
    except ValueError as error:
        # It never will be one, so there is nothing to wait for.
        reason = cut(f"the period {error}", _REASON_CHARS_MAX)
        await _leave_out(conn, schedule, occurrence, "missed", reason, ReasonCode.PERIOD_UNKNOWN)
        return None
    batch = await accept.accept(
        conn,
        schedule.business_id,
        schedule.request(period),
        terms,
        schedule.trace,
        schedule=accept.MadeBy(schedule.id, occurrence.day),
    )
    await records.settle(conn, schedule.id, [occurrence.day], "made", batch.id)
    return batch


async def _leave_out(
    conn: Connection,
    schedule: Stored,
    occurrence: Occurrence,
    outcome: Literal["skipped", "missed"],
    reason: str,
    code: ReasonCode,
) -> None:
    """Record that an occurrence is not made, and why."""
    await records.settle(conn, schedule.id, [occurrence.day], outcome, reason=reason, code=code)
    await records.tell(conn, schedule.id, outcome, occurrence.day, reason, code)
