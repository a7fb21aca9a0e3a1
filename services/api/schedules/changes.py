"""Makes schedules, changes and deletes them."""

from collections.abc import Mapping
from datetime import datetime
from itertools import islice
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from services.api.access import daily_counts
from services.api.batches.draft import check_others
from services.api.businesses.store import fiscal_year_start
from services.api.core.parsing import parse
from services.api.core.refusals import Conflict, Invalid
from services.api.schedules import periods, records, store
from services.api.schedules.advance import next_ahead, pass_by
from services.api.schedules.body import ScheduleBody, merged
from services.api.schedules.model import Schedule
from services.api.schedules.stored import columns
from services.api.schedules.timing import AHEAD_MAX, Occurrence, Timing
from services.api.sends.terms import Terms
from shared.db.postgres import Connection
from shared.trace import Trace

SCHEDULES_MAX: Final = 200  # of one business


class TooManySchedules(Conflict):
    """The business has as many schedules as it may have."""

    def __init__(self) -> None:
        super().__init__(
            f"The business has {SCHEDULES_MAX} schedules, the most that there may be. Delete one"
            " that is not needed any more."
        )


async def create(
    conn: Connection,
    business_id: int,
    body: ScheduleBody,
    terms: Terms,
    trace: Trace | None = None,
) -> Schedule:
    """Store a schedule and return it.

    Raises Invalid if it has no occurrence that is to come, or if its period means no days at the
    first one; TooManySchedules, and OverQuota if the business changed its schedules too often
    today.
    """
    check_others(body.other_emails, terms)
    async with conn.transaction():
        if await records.queue_up(conn, business_id) >= SCHEDULES_MAX:
            raise TooManySchedules
        business = await store.business_now(conn, business_id)
        now: datetime = business["asked_at"]
        values, timing = _resolved(body, business["timezone"], now)
        first = next(timing.ahead(now), None)
        if first is None:
            raise Invalid("ends_on", "leaves no occurrence that is to come")
        _check_period(body, timing, first, business["fiscal_year_start"])
        await daily_counts.count(conn, business_id, "changes of schedules")
        schedule_id = await records.add(conn, business_id, values, first, now, trace)
        await records.tell(conn, schedule_id, "created")
        return store.shown(await store.one(conn, business_id, schedule_id))


async def change(
    conn: Connection,
    business_id: int,
    schedule_id: UUID,
    changes: Mapping[str, Any],
    terms: Terms,
) -> Schedule:
    """Merge `changes` into a schedule as RFC 7396 says, and return it.

    An occurrence that is due already stays; those after it follow the change. A local date that is
    settled is none again. What changes nothing is not told, unless the next occurrence could not be
    made: it is then tried at once. Raises NotFound, InvalidInput if what comes of it is no
    schedule, and OverQuota if the business changed its schedules too often today.
    """
    async with conn.transaction():
        schedule = await store.locked(conn, business_id, schedule_id)
        body = parse(ScheduleBody, merged(_present(schedule.given()), changes))
        check_others(body.other_emails, terms)
        business = await store.business_now(conn, business_id)
        values, timing = _resolved(body, business["timezone"], schedule.now)
        if schedule.has(values) and not schedule.row["failures"]:
            return store.shown(schedule)
        following = schedule.next
        # One that is late is being made at this moment, or as soon as the relay is back.
        if timing != schedule.timing and (schedule.is_paused or not schedule.is_late):
            await pass_by(conn, schedule, timing.timezone)
            following = await next_ahead(conn, schedule_id, timing, schedule.now)
        if following is not None:
            _check_period(body, timing, following, business["fiscal_year_start"])
        await daily_counts.count(conn, business_id, "changes of schedules")
        await records.change(conn, schedule_id, values, following, schedule.now)
        await records.tell(conn, schedule_id, "changed")
        if following is None and schedule.next is not None:
            await records.tell(conn, schedule_id, "ended")
        return store.shown(await store.one(conn, business_id, schedule_id))


async def delete(conn: Connection, business_id: int, schedule_id: UUID) -> None:
    """Delete a schedule; its batches stay. Raises NotFound."""
    async with conn.transaction():
        await store.locked(conn, business_id, schedule_id)
        await records.tell(conn, schedule_id, "deleted")
        await records.remove(conn, schedule_id)


def _present(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value is not None}


def _resolved(body: ScheduleBody, timezone: str, now: datetime) -> tuple[Mapping[str, Any], Timing]:
    """Return the columns of a schedule and its timing; `timezone` is that of the business.

    Raises Invalid if the business's timezone is needed and unknown.
    """
    zone = body.timezone or timezone
    try:
        today = now.astimezone(ZoneInfo(zone)).date()
    except (ZoneInfoNotFoundError, ValueError):
        raise Invalid("timezone", "is needed: the business's timezone is unknown") from None
    values = columns(body, timezone=zone, today=today)
    return values, Timing(body.rule, body.time, zone, values["starts_on"], values["ends_on"])


def _check_period(body: ScheduleBody, timing: Timing, first: Occurrence, year: str) -> None:
    """Raise Invalid if the period means no days at one of the next occurrences."""
    days = [each.day for each in islice(timing.since(first.day), AHEAD_MAX)]
    try:
        periods.check(body.period, days, fiscal_year_start(year))
    except ValueError as error:
        raise Invalid("period", str(error)) from None
