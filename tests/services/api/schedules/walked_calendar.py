"""Another model of occurrences, written another way: it looks at each day, and at clocks by UTC.

A rule is a question about one day, and each day of many years is asked. An instant is found in what
the clocks of a zone show as time goes on: they are looked at every six hours, and each change is
narrowed down to its second. No zone has ever had two changes within six days. Nothing here computes
a date from a rule, or an instant from a time.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EPOCH = date(1970, 1, 1)
DAY, LOOK = 86400, 6 * 3600
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Day:
    """A day, and what can be said of it by looking at the days around it."""

    date: date
    weekday: str
    is_last: bool
    nth: int
    is_last_nth: bool
    # Of a working day: how many there were in the month so far, and whether it is the last one.
    working_day: int | None
    is_last_working_day: bool


def days(first: date, last: date) -> Iterator[Day]:
    """Walk from one day to another."""
    day = first
    while day <= last:
        before = [day - ONE_DAY * back for back in range(day.day)]
        after = [day + ONE_DAY * ahead for ahead in range(1, 31)]
        rest = [each for each in after if each.month == day.month]
        works = day.weekday() < 5
        yield Day(
            date=day,
            weekday=WEEKDAYS[day.weekday()],
            is_last=not rest,
            nth=sum(each.weekday() == day.weekday() for each in before),
            is_last_nth=all(each.weekday() != day.weekday() for each in rest),
            working_day=sum(each.weekday() < 5 for each in before) if works else None,
            is_last_working_day=works and all(each.weekday() >= 5 for each in rest),
        )
        day += ONE_DAY


def has(rule: Mapping[str, Any], day: Day) -> bool:
    """Tell whether a rule, as JSON has it, has an occurrence on a day."""
    month = day.date.month
    if rule["every"] == "year" and month != rule["month"]:
        return False
    if rule["every"] == "quarter" and month not in {rule["month"] + more for more in (0, 3, 6, 9)}:
        return False
    if "working_day" in rule:
        is_last, number, wanted = day.is_last_working_day, day.working_day, rule["working_day"]
    elif "nth" in rule:
        is_last, number, wanted = day.is_last_nth, day.nth, rule["nth"]
    elif "day" in rule:
        is_last, number, wanted = day.is_last, day.date.day, rule["day"]
        if wanted != "last" and is_last:
            return bool(wanted >= number)
    else:
        is_last, number, wanted = True, None, "last"
    is_weekday = day.weekday == rule.get("weekday", day.weekday)
    return is_weekday and (is_last if wanted in {-1, "last"} else number == wanted)


def rules() -> Iterator[dict[str, Any]]:
    """Yield every rule that there is."""
    for weekday in WEEKDAYS:
        yield {"every": "week", "weekday": weekday}
    ways: list[dict[str, Any]] = [{"day": day} for day in (*range(1, 32), "last")]
    ways += [{"weekday": day, "nth": nth} for day in WEEKDAYS for nth in (1, 2, 3, 4, -1)]
    ways += [{"working_day": number} for number in (*range(1, 21), -1)]
    for way in ways:
        yield {"every": "month", **way}
        for month in range(1, 13):
            yield {"every": "year", "month": month, **way}
            if month <= 3:
                yield {"every": "quarter", "month": month, **way}


@dataclass(frozen=True)
class Span:
    """A time in which clocks are this far ahead of UTC; all are seconds since 1970."""

    start: int
    end: int
    ahead: int


class Clocks:
    """What the clocks of a zone show from one day to another, both included."""

    def __init__(self, zone: str, first: date, last: date) -> None:
        self._zone = ZoneInfo(zone)
        begin, end = seconds(first) - 3 * DAY, seconds(last) + 3 * DAY
        changes = [begin, *self._changes(begin, end), end]
        self.spans = [Span(start, until, self._ahead(start)) for start, until in pairwise(changes)]
        self._ends = [span.end for span in self.spans]

    def first_showing(self, wanted: int) -> int:
        """Return when the clocks first show `wanted`, or else when they first are past it."""
        near = self.spans[bisect_left(self._ends, wanted - 2 * DAY) :]
        for span in near:
            if span.start <= wanted - span.ahead < span.end:
                return wanted - span.ahead
            if span.start > wanted + 2 * DAY:
                break
        return next(
            after.start
            for before, after in pairwise(near)
            if before.end + before.ahead <= wanted < after.start + after.ahead
        )

    def _changes(self, begin: int, end: int) -> Iterator[int]:
        ahead = self._ahead(begin)
        for look in range(begin + LOOK, end, LOOK):
            if self._ahead(look) == ahead:
                continue
            before, after = look - LOOK, look
            while after - before > 1:
                middle = (before + after) // 2
                if self._ahead(middle) == ahead:
                    before = middle
                else:
                    after = middle
            yield after
            ahead = self._ahead(look)

    def _ahead(self, at: int) -> int:
        offset = datetime.fromtimestamp(at, self._zone).utcoffset()
        assert offset is not None
        return int(offset.total_seconds())


def seconds(day: date, minute: int = 0) -> int:
    """Return the seconds from 1970-01-01 00:00 to a minute of a day on one and the same clock."""
    return (day - EPOCH).days * DAY + minute * 60
