"""The local dates on which a rule has its occurrences.

dateutil's rrule finds them, with two departures from RFC 5545. BYMONTHDAY=31 skips the shorter
months; here their last day is taken, as the last one of the days 28 to 31 that the month has.
And the rule never begins at the first occurrence but anew after any given day, so that no date
depends on an earlier one: a 31st that became a 28 February is a 31st again in March.
"""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from dateutil.rrule import FR, MO, MONTHLY, SA, SU, TH, TU, WE, WEEKLY, rrule

from services.api.schedules.rule import DayOfMonth, Rule, WeekRule

#: No occurrence is later, so that its instant is within the years of four digits in every zone.
LAST_DAY: Final = date(9998, 12, 31)

_IN_EVERY_MONTH = 28
_WORKING_DAYS = (MO, TU, WE, TH, FR)
_WEEKDAYS = {"mon": MO, "tue": TU, "wed": WE, "thu": TH, "fri": FR, "sat": SA, "sun": SU}


def dates(rule: Rule, after: date, until: date | None = None) -> Iterator[date]:
    """Yield the occurrences of `rule` after one day and until another one, in order.

    Each takes the same bounded work, whatever the rule and the day. Without `until` they go on to
    the year 9998.
    """
    last = LAST_DAY if until is None else min(until, LAST_DAY)
    if after >= last:
        return
    for found in rrule(
        dtstart=datetime.combine(after + timedelta(days=1), time.min),
        until=datetime.combine(last, time.min),
        **_recurrence(rule),
    ):
        yield found.date()


def _recurrence(rule: Rule) -> Mapping[str, Any]:
    if isinstance(rule, WeekRule):
        return {"freq": WEEKLY, "byweekday": _WEEKDAYS[rule.weekday]}
    # A year is asked for by its months, too: rrule counts a BYSETPOS within what FREQ names.
    return {"freq": MONTHLY, "bymonth": rule.months, **_day_of_month(rule)}


def _day_of_month(rule: DayOfMonth) -> Mapping[str, Any]:
    if rule.working_day is not None:
        return {"byweekday": _WORKING_DAYS, "bysetpos": rule.working_day}
    if rule.weekday is not None:
        return {"byweekday": _WEEKDAYS[rule.weekday](rule.nth)}
    if isinstance(rule.day, int):
        return {
            "bymonthday": tuple(range(min(rule.day, _IN_EVERY_MONTH), rule.day + 1)),
            "bysetpos": -1,
        }
    return {"bymonthday": -1}
