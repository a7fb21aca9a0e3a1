from typing import Final

from services.api.schedules.rule import LAST, DayOfMonth, QuarterRule, Rule, WeekRule, YearRule

_WEEKDAYS: Final = {
    "mon": "Monday",
    "tue": "Tuesday",
    "wed": "Wednesday",
    "thu": "Thursday",
    "fri": "Friday",
    "sat": "Saturday",
    "sun": "Sunday",
}
_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June", "July", "August"),
    *("September", "October", "November", "December"),
)
# Days that each month has in every year.
_DAYS: Final = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def description(rule: Rule, at: str) -> str:
    """Return a rule and a time of day in English: `the last Friday of every month at 09:00`."""
    if isinstance(rule, WeekRule):
        return f"every {_WEEKDAYS[rule.weekday]} at {at}"
    note = ", or the last day of a shorter month" if _is_short(rule) else ""
    return f"{_day(rule)} of {_month(rule)} at {at}{note}"


def _day(rule: DayOfMonth) -> str:
    if rule.working_day is not None:
        return f"the {_number(rule.working_day)} working day"
    if rule.weekday is not None and rule.nth is not None:
        return f"the {_number(rule.nth)} {_WEEKDAYS[rule.weekday]}"
    return "the last day" if rule.day == "last" else f"the {_number(int(rule.day or 0))} day"


def _month(rule: DayOfMonth) -> str:
    if isinstance(rule, YearRule):
        return f"every {_MONTHS[rule.month - 1]}"
    if isinstance(rule, QuarterRule):
        return f"the {_number(rule.month)} month of every quarter"
    return "every month"


def _is_short(rule: DayOfMonth) -> bool:
    """Return whether a month of the rule may lack its day."""
    shortest = min(_DAYS[month - 1] for month in rule.months)
    return isinstance(rule.day, int) and rule.day > shortest


def _number(number: int) -> str:
    if number == LAST:
        return "last"
    if number % 10 in (1, 2, 3) and number not in (11, 12, 13):
        return f"{number}{('st', 'nd', 'rd')[number % 10 - 1]}"
    return f"{number}th"
