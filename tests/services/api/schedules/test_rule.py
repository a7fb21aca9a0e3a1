"""What is a rule, and what is refused: the field is named, and what it may be."""

from typing import Any

import pytest
from pydantic import BaseModel

from services.api.core.parsing import parse
from services.api.core.refusals import InvalidInput
from services.api.schedules.rule import STORED, Rule


class Body(BaseModel):
    """A request that has a rule among its fields."""

    rule: Rule


WEEKDAYS = "should be mon, tue, wed, thu, fri, sat or sun"
DAYS = "should be a whole number from 1 to 31, or last"
NTHS = "should be 1, 2, 3, 4, or -1 for the last one of the month"
WORKING_DAYS = "should be a whole number from 1 to 20, or -1 for the last one of the month"
IN_QUARTER = "should be 1, 2 or 3, counted in the quarter"
IN_YEAR = "should be a whole number from 1 to 12"
ONE_OF = "a rule has one of day, weekday with nth, or working_day"
OF_MONTH = "its fields are every, day, weekday, nth, working_day"

RULES: tuple[dict[str, Any], ...] = (
    {"every": "week", "weekday": "fri"},
    {"every": "month", "day": 1},
    {"every": "month", "day": 31},
    {"every": "month", "day": "last"},
    {"every": "month", "weekday": "mon", "nth": 4},
    {"every": "month", "weekday": "sun", "nth": -1},
    {"every": "month", "working_day": 20},
    {"every": "quarter", "month": 3, "working_day": -1},
    {"every": "year", "month": 12, "day": 31},
    # A day that February never has is its last one.
    {"every": "year", "month": 2, "day": 31},
)


@pytest.mark.parametrize("given", RULES, ids=str)
def test_a_rule_is_read_and_written(given: dict[str, Any]) -> None:
    rule = parse(Body, {"rule": given}).rule
    assert rule.to_json() == given
    assert Body(rule=rule).model_dump(mode="json") == {"rule": given}
    assert STORED.validate_python(rule.to_json()) == rule


def test_null_is_a_field_that_is_not_there() -> None:
    given = {"every": "month", "day": "last", "weekday": None, "nth": None, "working_day": None}
    rule = parse(Body, {"rule": given}).rule
    assert rule.to_json() == {"every": "month", "day": "last"}


REFUSED: tuple[tuple[Any, dict[str, str]], ...] = (
    (None, {"rule": "should be a JSON object, as in {every: month, day: last}"}),
    ("monthly", {"rule": "should be a JSON object, as in {every: month, day: last}"}),
    ({}, {"rule.every": "is missing; it should be week, month, quarter or year"}),
    ({"every": None}, {"rule.every": "is missing; it should be week, month, quarter or year"}),
    ({"every": "day"}, {"rule.every": "should be week, month, quarter or year"}),
    ({"every": ["week"]}, {"rule.every": "should be week, month, quarter or year"}),
    ({"every": "week"}, {"rule.weekday": f"is missing; it {WEEKDAYS}"}),
    ({"every": "week", "weekday": "Fri"}, {"rule.weekday": WEEKDAYS}),
    ({"every": "week", "weekday": {}}, {"rule.weekday": WEEKDAYS}),
    (
        {"every": "week", "weekday": "fri", "nth": 1},
        {"rule.nth": "is not a field of a rule for every week; its fields are every, weekday"},
    ),
    ({"every": "month"}, {"rule": f"should have {ONE_OF.removeprefix('a rule has ')}"}),
    ({"every": "month", "day": 0}, {"rule.day": DAYS}),
    ({"every": "month", "day": 32}, {"rule.day": DAYS}),
    ({"every": "month", "day": -1}, {"rule.day": DAYS}),
    ({"every": "month", "day": "31"}, {"rule.day": DAYS}),
    ({"every": "month", "day": True}, {"rule.day": DAYS}),
    ({"every": "month", "day": 1.0}, {"rule.day": DAYS}),
    ({"every": "month", "day": "LAST"}, {"rule.day": DAYS}),
    ({"every": "month", "day": [1]}, {"rule.day": DAYS}),
    ({"every": "month", "weekday": "fri"}, {"rule.nth": f"is missing beside weekday; it {NTHS}"}),
    ({"every": "month", "nth": 1}, {"rule.weekday": f"is missing beside nth; it {WEEKDAYS}"}),
    ({"every": "month", "weekday": "fri", "nth": 0}, {"rule.nth": NTHS}),
    ({"every": "month", "weekday": "fri", "nth": 5}, {"rule.nth": NTHS}),
    ({"every": "month", "weekday": "fri", "nth": -2}, {"rule.nth": NTHS}),
    ({"every": "month", "weekday": "fri", "nth": "last"}, {"rule.nth": NTHS}),
    ({"every": "month", "working_day": 0}, {"rule.working_day": WORKING_DAYS}),
    ({"every": "month", "working_day": 21}, {"rule.working_day": WORKING_DAYS}),
    ({"every": "month", "working_day": "last"}, {"rule.working_day": WORKING_DAYS}),
    (
        {"every": "month", "day": 1, "working_day": 1},
        {"rule.working_day": f"should not be given beside day; {ONE_OF}"},
    ),
    (
        {"every": "month", "day": 1, "weekday": "fri", "nth": 1},
        {"rule.weekday": f"should not be given beside day; {ONE_OF}"},
    ),
    (
        {"every": "month", "weekday": "fri", "nth": 1, "working_day": 1},
        {"rule.working_day": f"should not be given beside weekday; {ONE_OF}"},
    ),
    (
        {"every": "month", "working_day": 1, "nth": 1},
        {"rule.weekday": f"is missing beside nth; it {WEEKDAYS}"},
    ),
    (
        {"every": "month", "month": 1, "day": 1},
        {"rule.month": f"is not a field of a rule for every month; {OF_MONTH}"},
    ),
    ({"every": "quarter", "day": 1}, {"rule.month": f"is missing; it {IN_QUARTER}"}),
    ({"every": "quarter", "month": 4, "day": 1}, {"rule.month": IN_QUARTER}),
    ({"every": "year", "month": 0, "day": 1}, {"rule.month": IN_YEAR}),
    (
        {"every": "year", "month": "may", "day": 40},
        {"rule.month": IN_YEAR, "rule.day": DAYS},
    ),
)  # fmt: skip


@pytest.mark.parametrize(("given", "errors"), REFUSED, ids=[str(given) for given, _ in REFUSED])
def test_what_is_no_rule_is_refused(given: Any, errors: dict[str, str]) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse(Body, {"rule": given})
    assert {each.field: each.message for each in refused.value.errors} == errors


def test_many_unknown_fields_are_a_short_answer() -> None:
    given = {"every": "week", "weekday": "fri", **{f"{number:0>5000}": 1 for number in range(900)}}
    with pytest.raises(InvalidInput) as refused:
        parse(Body, {"rule": given})
    assert len(refused.value.errors) == 50
    assert max(len(each.field) for each in refused.value.errors) < 210
