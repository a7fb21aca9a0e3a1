"""Resolves the dates and times in a request about sends."""

from collections.abc import Sequence
from datetime import date, datetime

from services.api.core.day_or_time import first_instant
from services.api.core.refusals import Invalid


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


def _instant(moment: date | datetime, timezone: str) -> datetime:
    if isinstance(moment, datetime):
        return moment
    return first_instant(moment, timezone, "send_at")
