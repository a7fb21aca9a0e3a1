"""The occurrences of a schedule that are to come, and how many mails each would be now."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import date
from itertools import islice
from typing import Annotated, Final
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from services.api.batches.reach import Reach, reach
from services.api.core.deadline import promptly
from services.api.core.parsing import whole_number
from services.api.core.refusals import Busy
from services.api.schedules import store
from services.api.schedules.advance import UnknownTimezone, first_day, is_known
from services.api.schedules.model import Outcome, Upcoming, UpcomingList
from services.api.schedules.stored import Stored
from services.api.schedules.timing import AHEAD_MAX, Occurrence
from services.api.sends.terms import Terms
from shared.db.postgres import Connection
from shared.period import Period

#: Different periods for which customers are counted, if the filter depends on the period.
COUNTED_MAX: Final = 12


class UpcomingQuery(BaseModel):
    """How many of the next occurrences to show."""

    model_config = ConfigDict(frozen=True)

    count: Annotated[
        int,
        BeforeValidator(whole_number),
        Field(ge=1, le=AHEAD_MAX, description="How many of the next occurrences to show."),
    ] = 12


async def upcoming(
    conn: Connection, business_id: int, schedule_id: UUID, count: int, terms: Terms
) -> UpcomingList:
    """Return the next occurrences of a schedule, in order, with those that are skipped.

    While it is paused, they are those that there are if it is resumed at once. Raises NotFound
    and UnknownTimezone.
    """
    schedule = await store.one(conn, business_id, schedule_id)
    if not is_known(schedule.timing.timezone):
        raise UnknownTimezone(schedule)
    first = first_day(schedule.now)
    if schedule.next is not None:
        first = min(first, schedule.next.day)
    settled = await store.settled(conn, schedule_id, first)
    listed = list(islice(_to_come(schedule, settled), count))
    reaches = await _reaches(conn, schedule, listed, terms)
    return UpcomingList(data=tuple(_shown(schedule, each, settled, reaches) for each in listed))


def _to_come(schedule: Stored, settled: Mapping[date, Outcome]) -> Iterator[Occurrence]:
    """Yield the occurrences that will be made or are skipped, and not those that are made."""
    found = schedule.timing.ahead(schedule.now)
    if schedule.next is not None and schedule.is_late and not schedule.is_paused:
        found = schedule.timing.since(schedule.next.day)
    return (each for each in found if settled.get(each.day, "skipped") == "skipped")


async def _reaches(
    conn: Connection, schedule: Stored, listed: Iterable[Occurrence], terms: Terms
) -> Mapping[date, Reach]:
    """Return customers and recipients of these occurrences by date, as far as time suffices.

    They are counted once if the filter selects the same customers for every period.
    """
    known: dict[Period | None, Reach] = {}
    found: dict[date, Reach] = {}
    with suppress(Busy):
        async with promptly():
            for day in (each.day for each in listed):
                with suppress(ValueError):
                    period = schedule.period(day)
                    request = schedule.request(period)
                    key = period if request.filters.depend_on_period else None
                    if key not in known and len(known) < COUNTED_MAX:
                        known[key] = await reach(conn, schedule.business_id, request, terms)
                    if key in known:
                        found[day] = known[key]
    return found


def _shown(
    schedule: Stored,
    occurrence: Occurrence,
    settled: Mapping[date, Outcome],
    reaches: Mapping[date, Reach],
) -> Upcoming:
    counted = reaches.get(occurrence.day)
    return Upcoming(
        **store.placed(schedule, occurrence),
        skipped=occurrence.day in settled,
        customers=counted and counted.customers,
        recipients=counted and counted.recipients,
    )
