"""Resolves the due times in a request."""

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
    # The first days of year 1 cannot be converted to UTC; they are past in any case.
    day = max(moment, _FIRST_DAY)
    return datetime.combine(day, time.min, zone).astimezone(UTC)
