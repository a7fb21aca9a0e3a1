"""Pauses and resumes schedules, and skips single occurrences."""

from datetime import date
from itertools import islice
from typing import Final
from uuid import UUID

from services.api.access import daily_counts
from services.api.core.refusals import Conflict, Invalid
from services.api.schedules import records, store
from services.api.schedules.advance import (
    UnknownTimezone,
    is_known,
    move_on,
    next_ahead,
    next_beyond,
    pass_by,
)
from services.api.schedules.model import Schedule
from services.api.schedules.stored import Stored
from services.api.schedules.timing import AHEAD_MAX, Occurrence
from shared.db.postgres import Connection

# What is counted of a day. A pause is not: it follows a resumption, or the making of the schedule.
_COUNTED: Final = "changes of schedules"


class HasEnded(Conflict):
    """The last occurrence of the schedule is over."""

    def __init__(self) -> None:
        super().__init__("This schedule has ended.")


class NothingToSkip(Conflict):
    """The schedule is paused, so it has no next occurrence."""

    def __init__(self) -> None:
        super().__init__("This schedule is paused; it has no next occurrence.")


async def pause(conn: Connection, business_id: int, schedule_id: UUID) -> Schedule:
    """Pause a schedule, unless it is paused already, and return it. Raises NotFound and HasEnded.

    An occurrence that is due and not made yet is not made any more.
    """
    async with conn.transaction():
        schedule = await store.locked(conn, business_id, schedule_id)
        if schedule.next is None:
            raise HasEnded
        if not schedule.is_paused:
            await records.pause(conn, schedule_id)
            await records.tell(conn, schedule_id, "paused")
        return store.shown(await store.one(conn, business_id, schedule_id))


async def resume(conn: Connection, business_id: int, schedule_id: UUID) -> Schedule:
    """End the pause of a schedule, if it is paused, and return the schedule.

    Occurrences that passed meanwhile are recorded, and never made. Raises NotFound,
    UnknownTimezone, and OverQuota if the business changed its schedules too often today; to pause
    one is always possible.
    """
    async with conn.transaction():
        schedule = await store.locked(conn, business_id, schedule_id)
        if schedule.is_paused:
            timing = schedule.timing
            if not is_known(timing.timezone):
                raise UnknownTimezone(schedule)
            await daily_counts.count(conn, business_id, _COUNTED)
            await pass_by(conn, schedule, timing.timezone)
            await records.resume(conn, schedule_id)
            await records.tell(conn, schedule_id, "resumed")
            if schedule.next is not None:
                following = await next_ahead(conn, schedule_id, timing, schedule.now)
                await move_on(conn, schedule, following)
        return store.shown(await store.one(conn, business_id, schedule_id))


async def skip(conn: Connection, business_id: int, schedule_id: UUID, day: date | None) -> Schedule:
    """Skip the next occurrence, or that of a local date, and return the schedule.

    A date that is skipped already stays so. Raises NotFound, HasEnded, NothingToSkip,
    UnknownTimezone, Invalid if the date is none of the next 100 occurrences, and OverQuota if the
    business changed its schedules too often today.
    """
    async with conn.transaction():
        schedule = await store.locked(conn, business_id, schedule_id)
        chosen = _chosen(schedule, day)
        if chosen.day not in await store.settled(conn, schedule_id, chosen.day):
            await daily_counts.count(conn, business_id, _COUNTED)
            await records.settle(conn, schedule_id, [chosen.day], "skipped")
            await records.tell(conn, schedule_id, "skipped", chosen.day)
        if chosen == schedule.next:
            await move_on(conn, schedule, await next_beyond(conn, schedule, chosen))
        return store.shown(await store.one(conn, business_id, schedule_id))


def _chosen(schedule: Stored, day: date | None) -> Occurrence:
    if schedule.next is None:
        raise HasEnded
    if schedule.is_paused:
        raise NothingToSkip
    if not is_known(schedule.timing.timezone):
        raise UnknownTimezone(schedule)
    if day is None or day == schedule.next.day:
        return schedule.next
    for each in islice(schedule.timing.since(schedule.next.day), AHEAD_MAX):
        if each.day == day:
            return each
    raise Invalid("occurrence", f"is none of the next {AHEAD_MAX} occurrences of this schedule")
