"""A day or a time in a request, and the instant that it means in a time zone."""

import re
from datetime import UTC, date, datetime, time
from typing import Annotated, Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BeforeValidator

from services.api.core import fields
from services.api.core.refusals import Invalid

_FIRST_DAY = date(2, 1, 1)
# Times that are computed from a date up to this year stay within four-digit years.
_LAST_YEAR = 9998

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,9})?)?"
    r"(?P<offset>[Zz]|[+-][0-9]{2}:?[0-9]{2})?"
)
When = TypeVar("When", date, datetime)


def moment(value: Any, *, otherwise: str = "") -> date | datetime | None:
    """Return an ISO date, or a time with its offset (converted to UTC); None for null and "".

    `otherwise` names other values that the field may have, for the message.
    """
    if fields.is_absent(value):
        return None
    if isinstance(value, str) and _DATE.fullmatch(value):
        return _ahead(_existing(date, value))
    match = _TIME.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"should be an ISO date, or a time with its offset{otherwise}")
    if match["offset"] is None:
        raise ValueError("should have an offset, as in 2024-11-30T09:00:00Z")
    return _ahead(_in_utc(_existing(datetime, match[0].upper())))


def given_moment(value: Any) -> date | datetime:
    """Return an ISO date, or a time with its offset. Raises ValueError if it is null or ""."""
    found = moment(value)
    if found is None:
        raise ValueError("should be an ISO date, or a time with its offset")
    return found


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


def _existing(kind: type[When], value: str) -> When:
    try:
        return kind.fromisoformat(value)
    except ValueError:
        raise ValueError("is a time that does not exist") from None


def _in_utc(time: datetime) -> datetime:
    try:
        return time.astimezone(UTC)
    except OverflowError:
        raise ValueError("is a time that does not exist") from None


def _ahead(when: When) -> When:
    if when.year > _LAST_YEAR:
        raise ValueError(f"should not be later than the year {_LAST_YEAR}")
    return when


Moment = Annotated[date | datetime | None, BeforeValidator(given_moment)]
