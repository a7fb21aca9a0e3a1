"""When a schedule has its occurrences."""

from collections.abc import Container, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from services.api.schedules.instants import instant
from services.api.schedules.occurrences import dates
from services.api.schedules.rule import Rule

#: Occurrences to come that a call shows, or of which one can be skipped.
AHEAD_MAX: Final = 100

_FIRST_DAY = date(2, 1, 2)
# If a zone skipped a day, the occurrence of that day is at the first instant of a later one.
_SKIPPED_DAYS = timedelta(days=2)


class Occurrence(NamedTuple):
    """One occurrence: its local date, and its instant in UTC."""

    day: date
    at: datetime


@dataclass(frozen=True)
class Timing:
    """The rule of a schedule with all else that decides when its occurrences are."""

    rule: Rule
    time: time
    timezone: str
    starts_on: date
    ends_on: date | None

    def today(self, now: datetime) -> date:
        """Return the local date at the instant `now`.

        Raises ZoneInfoNotFoundError or ValueError if the timezone is unknown.
        """
        return now.astimezone(ZoneInfo(self.timezone)).date()

    def since(self, day: date) -> Iterator[Occurrence]:
        """Yield the occurrences on `day` or later, in order. Raises like today()."""
        before = max(day, self.starts_on, _FIRST_DAY) - timedelta(days=1)
        for each in dates(self.rule, before, self.ends_on):
            yield Occurrence(each, instant(each, self.time, self.timezone))

    def ahead(self, now: datetime) -> Iterator[Occurrence]:
        """Yield the occurrences that are later than the instant `now`. Raises like today()."""
        first = self.today(now) - _SKIPPED_DAYS
        return (each for each in self.since(first) if each.at > now)


def first_open(occurrences: Iterator[Occurrence], settled: Container[date]) -> Occurrence | None:
    """Return the first occurrence whose date is not settled already, if any."""
    return next((each for each in occurrences if each.day not in settled), None)
