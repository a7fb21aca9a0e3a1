"""The model of calendar intervals, and of the periods with which others are compared."""

import calendar
from datetime import date, timedelta

DAY = timedelta(days=1)
_MONTHS = {"month": 1, "quarter": 3, "year": 12}


def shifted(first: date, months: int) -> date:
    """The same day so many months later or earlier; a day that the month lacks is its last."""
    place = first.year * 12 + first.month - 1 + months
    year, month = divmod(place, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(first.day, last))


def beginning(day: date, interval: str) -> date:
    """The first day of the interval that `day` lies in."""
    if interval == "day":
        return day
    if interval == "week":
        return day - timedelta(days=day.weekday())
    months = _MONTHS[interval]
    return date(day.year, (day.month - 1) // months * months + 1, 1)


def ending(first: date, interval: str) -> date:
    """The last day of the interval that begins on `first`."""
    if interval == "day":
        return first
    if interval == "week":
        return first + 6 * DAY
    last = shifted(first, _MONTHS[interval] - 1)
    return last.replace(day=calendar.monthrange(last.year, last.month)[1])


def intervals(start: date, end: date, interval: str) -> list[tuple[date, date]]:
    """The whole intervals that have a day in the range, in order."""
    found = []
    first = beginning(start, interval)
    while True:
        try:
            last = ending(first, interval)
        except OverflowError:  # the last week of all
            last = date.max
        found.append((first, last))
        if last >= end or last == date.max:
            return found
        first = last + DAY


def previous_period(start: date, end: date) -> tuple[date, date]:
    """The months before a range of whole months, and as many days before any other range."""
    if (months := _whole_months(start, end)) is not None:
        return shifted(start, -months), start - DAY
    length = end - start
    return start - DAY - length, start - DAY


def previous_year(start: date, end: date) -> tuple[date, date]:
    return _year_before(start), _year_before(end)


def _whole_months(start: date, end: date) -> int | None:
    if start.day > 28:
        return None
    for months in range(1, 12 * (end.year - start.year) + 14):
        try:
            last = shifted(start, months) - DAY
        except ValueError:  # the day after the last possible day
            last = date.max if start.day == 1 else end + DAY
        if last == end:
            return months
        if last > end:
            return None
    return None


def _year_before(day: date) -> date:
    is_last = day.day == calendar.monthrange(day.year, day.month)[1]
    before = calendar.monthrange(day.year - 1, day.month)[1]
    return date(day.year - 1, day.month, before if is_last else min(day.day, before))
