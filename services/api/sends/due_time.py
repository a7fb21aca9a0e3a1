"""Resolves the dates and times in a request about sends."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from services.api.core.refusals import Invalid

_FIRST_DAY = date(2, 1, 1)


def due_at(moments: Sequence[date | datetime], timezone: str, now: datetime) -> datetime:
    """Resolve the requested due times to one instant.

    Returns `now` if none is given or it is past. A date means its first instant in the business's
    `timezone`; Postgres is not used for this, because it treats CET and the like as fixed offsets.
    Raises Invalid if two due times differ, or the timezone is unknown.
    """
    if not moments:
        return now
    meant = {max(_instant(moment, timezone), now) for moment in moments}
    if len(meant) > 1:
        raise Invalid("send_at", "contradicts send_tome")
    return meant.pop()


def first_instant(day: date, timezone: str, field: str) -> datetime:
    """Return the first instant of a day in the business's `timezone`.

    Raises Invalid, about `field`, if the timezone is unknown.
    """
    try:
        zone = ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError):
        raise Invalid(field, "cannot be determined: the business's timezone is unknown") from None
    # The first days of year 1 cannot be converted to UTC; they are past in any case.
    return datetime.combine(max(day, _FIRST_DAY), time.min, zone).astimezone(UTC)


def _instant(moment: date | datetime, timezone: str) -> datetime:
    if isinstance(moment, datetime):
        return moment
    return first_instant(moment, timezone, "send_at")
