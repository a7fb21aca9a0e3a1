"""Moves a schedule past occurrences that are settled, to its next one."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from services.api.core.refusals import Conflict
from services.api.schedules import records, store
from services.api.schedules.stored import Stored
from services.api.schedules.timing import Occurrence, Timing, first_open
from shared.db.postgres import Connection

_DAY: Final = timedelta(days=1)
# The local date may be a day from the date in UTC, and two if a zone skipped a day.
_DATES_APART: Final = 4 * _DAY


class UnknownTimezone(Conflict):
    """The timezone of the schedule is not known any more."""

    def __init__(self, schedule: Stored) -> None:
        super().__init__(
            f"The timezone {schedule.timing.timezone} of this schedule is not known any more."
            " Give the schedule another one."
        )


async def next_ahead(
    conn: Connection, schedule_id: UUID, timing: Timing, now: datetime
) -> Occurrence | None:
    """Return the first occurrence after the instant `now` whose date is not settled."""
    settled = await store.settled(conn, schedule_id, first_day(now))
    return first_open(timing.ahead(now), settled)


async def next_beyond(conn: Connection, schedule: Stored, settled: Occurrence) -> Occurrence | None:
    """Return the first occurrence after one that is settled, whether it is to come or late."""
    first = settled.day + _DAY
    done = await store.settled(conn, schedule.id, first)
    return first_open(schedule.timing.since(first), done)


def first_day(now: datetime) -> date:
    """Return a date before every local date whose occurrence may be later than the instant."""
    return now.date() - _DATES_APART


async def move_on(conn: Connection, schedule: Stored, following: Occurrence | None) -> None:
    """Give a schedule its next occurrence, or let it end."""
    await records.move(conn, schedule.id, following)
    if following is None:
        await records.tell(conn, schedule.id, "ended")


async def pass_by(conn: Connection, schedule: Stored, timezone: str) -> None:
    """Record the occurrences that have passed while a schedule was paused.

    `timezone` decides if the schedule's own is unknown.
    """
    if not schedule.is_paused or schedule.next is None:
        return
    timing = schedule.timing
    if not is_known(timing.timezone):
        timing = replace(timing, timezone=timezone)
    passed = []
    for each in timing.since(schedule.next.day):
        if each.at > schedule.now:
            break
        passed.append(each.day)
    done = await store.settled(conn, schedule.id, schedule.next.day)
    await records.settle(conn, schedule.id, [day for day in passed if day not in done], "paused")


def is_known(timezone: str) -> bool:
    """Return whether this is a time zone here."""
    try:
        ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError):
        return False
    return True
