from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from services.api.core.refusals import Invalid
from shared.period import Period

INTERVALS_MAX = 1000  # of one answer

_DAY = timedelta(days=1)
_WEEK_DAYS = 7
_MONTHS = {"month": 1, "quarter": 3, "year": 12}


class Interval(StrEnum):
    """The length of the intervals of a series."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


@dataclass(frozen=True)
class Span:
    """The first and the last day of an interval; `partial` if the period has only some of them."""

    start: date
    end: date
    partial: bool


def spans(period: Period, interval: Interval) -> list[Span]:
    """Return the intervals of a period in order. Raises Invalid if there are more than 1,000."""
    found: list[Span] = []
    day = period.start
    while True:
        if len(found) == INTERVALS_MAX:
            raise Invalid(
                "interval",
                f"makes more than {INTERVALS_MAX} intervals of this period; take longer ones",
            )
        start, end = _bounds(day, interval)
        found.append(Span(start, end, partial=start < period.start or end > period.end))
        if end >= period.end:
            return found
        day = end + _DAY


def _bounds(day: date, interval: Interval) -> tuple[date, date]:
    """Return the first and the last day of the interval of `day`; no day is after 9999-12-31."""
    if interval is Interval.DAY:
        return day, day
    if interval is Interval.WEEK:
        monday = day.toordinal() - day.weekday()
        sunday = min(monday + _WEEK_DAYS - 1, date.max.toordinal())
        return date.fromordinal(monday), date.fromordinal(sunday)
    months = _MONTHS[interval]
    begin = (day.month - 1) // months * months + 1
    end = begin + months - 1
    return day.replace(month=begin, day=1), date(day.year, end, monthrange(day.year, end)[1])
