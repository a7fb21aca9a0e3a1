"""The dates of rules, against tables written by hand; test_calendar.py has all the others."""

from datetime import date
from itertools import islice
from typing import Any

import pytest

from services.api.schedules.occurrences import LAST_DAY, dates
from services.api.schedules.rule import STORED

# A rule, the day after which it is asked, and what comes next.
TABLE: tuple[tuple[dict[str, Any], str, str], ...] = (
    ({"every": "week", "weekday": "fri"}, "2026-11-27", "2026-12-04 2026-12-11 2026-12-18"),
    ({"every": "week", "weekday": "fri"}, "2026-11-26", "2026-11-27 2026-12-04"),
    ({"every": "month", "day": 31}, "2026-12-31", "2027-01-31 2027-02-28 2027-03-31 2027-04-30"),
    ({"every": "month", "day": 30}, "2027-12-31", "2028-01-30 2028-02-29 2028-03-30"),
    ({"every": "month", "day": 29}, "2027-01-30", "2027-02-28 2027-03-29"),
    ({"every": "month", "day": "last"}, "2027-02-27", "2027-02-28 2027-03-31 2027-04-30"),
    ({"every": "month", "weekday": "fri", "nth": -1}, "2026-10-31", "2026-11-27 2026-12-25"),
    ({"every": "month", "weekday": "mon", "nth": 1}, "2026-11-30", "2026-12-07 2027-01-04"),
    # May 2027 begins on a Saturday; its last working day is a Monday.
    ({"every": "month", "working_day": 1}, "2027-04-30", "2027-05-03 2027-06-01"),
    ({"every": "month", "working_day": -1}, "2027-04-30", "2027-05-31 2027-06-30"),
    # February 2027 has 20 working days, and no other day could be the 20th.
    ({"every": "month", "working_day": 20}, "2027-01-31", "2027-02-26 2027-03-26"),
    ({"every": "quarter", "month": 2, "day": 31}, "2027-01-01", "2027-02-28 2027-05-31 2027-08-31"),
    ({"every": "quarter", "month": 3, "day": "last"}, "2026-11-28", "2026-12-31 2027-03-31"),
    ({"every": "year", "month": 2, "day": 29}, "2026-11-28", "2027-02-28 2028-02-29 2029-02-28"),
    ({"every": "year", "month": 11, "weekday": "thu", "nth": 4}, "2026-11-26", "2027-11-25"),
)


@pytest.mark.parametrize(("rule", "after", "expected"), TABLE)
def test_dates_of_a_rule(rule: dict[str, Any], after: str, expected: str) -> None:
    wanted = [date.fromisoformat(day) for day in expected.split()]
    found = dates(STORED.validate_python(rule), date.fromisoformat(after))
    assert list(islice(found, len(wanted))) == wanted


def test_the_end_is_included() -> None:
    rule = STORED.validate_python({"every": "month", "day": 31})
    assert list(dates(rule, date(2026, 12, 30), date(2027, 2, 28))) == [
        date(2026, 12, 31),
        date(2027, 1, 31),
        date(2027, 2, 28),
    ]
    assert next(dates(rule, date(2026, 12, 31), date(2027, 1, 30)), None) is None
    assert next(dates(rule, date(2026, 12, 31), date(2026, 1, 1)), None) is None


@pytest.mark.parametrize(
    "rule",
    [
        {"every": "week", "weekday": "sun"},
        {"every": "month", "day": 31},
        {"every": "quarter", "month": 3, "working_day": -1},
        {"every": "year", "month": 1, "weekday": "mon", "nth": 4},
    ],
)
def test_the_calendar_has_two_ends(rule: dict[str, Any]) -> None:
    parsed = STORED.validate_python(rule)
    first = next(dates(parsed, date.min), None)
    assert first is not None
    assert first.year == 1
    assert [*dates(parsed, date(9997, 12, 31))][-1] <= LAST_DAY
    assert next(dates(parsed, LAST_DAY), None) is None
    assert next(dates(parsed, date.max), None) is None
