"""The instant of an occurrence: a wall time of a local date in a time zone."""

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from shared import timezones

_WALL_TIME = re.compile("(?:[01][0-9]|2[0-3]):[0-5][0-9]")
_SECOND = timedelta(seconds=1)


def instant(day: date, at: time, timezone: str) -> datetime:
    """Return the instant, in UTC, at which clocks in `timezone` first show this date and time.

    If they never do because they are set forward, it is the first instant after that; so it is if
    they leave out a whole day, as in Apia in 2011. The day is one of the years 2 to 9998.
    Raises ZoneInfoNotFoundError or ValueError if the timezone is unknown.
    """
    zone = ZoneInfo(timezone)
    wanted = datetime.combine(day, at)
    # By PEP 495, the offset before a change of the clocks has fold 0, and the one after it fold 1.
    # So fold 0 is the first of two times, and of a time that does not exist one after the change.
    found = wanted.replace(tzinfo=zone).astimezone(UTC)
    if _shown(found, zone) == wanted:
        return found
    before = wanted.replace(tzinfo=zone, fold=1).astimezone(UTC)
    return _change(before, found, zone)


def _change(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """Return the first instant after a change of the clocks between two instants."""
    offset = before.astimezone(zone).utcoffset()
    while after - before > _SECOND:
        middle = before + (after - before) // 2 // _SECOND * _SECOND
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after


def _shown(at: datetime, zone: ZoneInfo) -> datetime:
    return at.astimezone(zone).replace(tzinfo=None)


def wall_time(text: str) -> time:
    """Read a time of day written HH:MM. Raises ValueError if it is none."""
    if not _WALL_TIME.fullmatch(text):
        raise ValueError("should be a time of day from 00:00 to 23:59, written HH:MM")
    return time.fromisoformat(text)


def known_timezone(name: str) -> str:
    """Return the name of a time zone. Raises ValueError if IANA's list does not have it."""
    if name not in timezones.names():
        raise ValueError("should be a time zone like Africa/Accra (IANA)")
    return name
