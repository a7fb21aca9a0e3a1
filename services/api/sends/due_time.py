"""When a caller means a send to go out."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from services.api.core.refusals import Invalid

_FIRST_DAY = date(2, 1, 1)


def due_at(moments: Sequence[date | datetime], timezone: str, now: datetime) -> datetime:
    """Return the one time meant by all of `moments`; none, or past: `now`.

    A date means its first instant in the business's `timezone`. Postgres is not asked, because it
    takes CET and its like for fixed offsets.
    """
    if not moments:
        return now
    try:
        zone = ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError):
        raise Invalid(
            "send_at", "cannot be determined: the business's timezone is unknown"
        ) from None
    meant = {max(_instant(moment, zone), now) for moment in moments}
    if len(meant) > 1:
        raise Invalid("send_at", "contradicts send_tome")
    return meant.pop()


def _instant(moment: date | datetime, zone: ZoneInfo) -> datetime:
    if isinstance(moment, datetime):
        return moment
    # The first days of year 1 have no instant in UTC; they are past like any other.
    day = max(moment, _FIRST_DAY)
    return datetime.combine(day, time.min, zone).astimezone(UTC)
