"""The times between which a page of a history lies."""

from datetime import date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from services.api.businesses import store as businesses
from services.api.core.day_or_time import first_instant
from services.api.core.paging import OLDEST, Cursor
from services.api.core.refusals import Invalid
from shared.db.postgres import Connection

_NO_ID = UUID(int=0)


class TimeRange(NamedTuple):
    """The time before which nothing is listed, and the place after which the page begins."""

    since: datetime
    place: Cursor[UUID]


async def time_range(
    conn: Connection,
    business_id: int,
    since: date | datetime | None,
    last: date | datetime | None,
    cursor: Cursor[UUID],
    names: tuple[str, str] = ("created_from", "created_to"),
) -> TimeRange:
    """Return the range of a page after `cursor` in a history from `since` to `last`, inclusive.

    `names` are those of the two in the request. Raises Invalid if no time lies between the two.
    """
    if since is None and last is None:
        return TimeRange(OLDEST.time, cursor)
    business = await businesses.business(conn, business_id)

    def instant(moment: date | datetime, field: str) -> datetime:
        if isinstance(moment, datetime):
            return moment
        return first_instant(moment, business.timezone, field)

    begin = OLDEST.time if since is None else instant(since, names[0])
    if last is None:
        return TimeRange(begin, cursor)
    whole = timedelta(microseconds=1) if isinstance(last, datetime) else timedelta(days=1)
    end = instant(last + whole, names[1])
    if begin >= end:
        raise Invalid(names[0], f"should not be after {names[1]}")
    bounded = min(cursor, Cursor(end, _NO_ID), key=lambda each: (each.time, each.key))
    return TimeRange(begin, bounded)
