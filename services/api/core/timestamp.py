from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

from pydantic import PlainSerializer, WithJsonSchema


def end_of_day(day: date) -> datetime:
    """Return the time at which this day ends in UTC."""
    return datetime.combine(day + timedelta(days=1), time(), UTC)


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


Timestamp = Annotated[
    datetime,
    PlainSerializer(_rfc3339, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}, mode="serialization"),
]
"""A time in UTC, written as RFC 3339 with microseconds."""
