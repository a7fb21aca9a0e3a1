"""A rule in words."""

from typing import Any

import pytest

from services.api.schedules.description import description
from services.api.schedules.rule import STORED

SHORTER = ", or the last day of a shorter month"
TABLE: tuple[tuple[dict[str, Any], str], ...] = (
    ({"every": "week", "weekday": "fri"}, "every Friday at 09:00"),
    ({"every": "month", "day": 1}, "the 1st day of every month at 09:00"),
    ({"every": "month", "day": 28}, "the 28th day of every month at 09:00"),
    ({"every": "month", "day": 29}, f"the 29th day of every month at 09:00{SHORTER}"),
    ({"every": "month", "day": "last"}, "the last day of every month at 09:00"),
    ({"every": "month", "weekday": "mon", "nth": 2}, "the 2nd Monday of every month at 09:00"),
    ({"every": "month", "weekday": "sun", "nth": -1}, "the last Sunday of every month at 09:00"),
    ({"every": "month", "working_day": 11}, "the 11th working day of every month at 09:00"),
    (
        {"every": "quarter", "month": 2, "working_day": -1},
        "the last working day of the 2nd month of every quarter at 09:00",
    ),
    # January, April, July and October have 30 days at least.
    (
        {"every": "quarter", "month": 1, "day": 30},
        "the 30th day of the 1st month of every quarter at 09:00",
    ),
    (
        {"every": "quarter", "month": 1, "day": 31},
        f"the 31st day of the 1st month of every quarter at 09:00{SHORTER}",
    ),
    (
        {"every": "quarter", "month": 2, "day": 29},
        f"the 29th day of the 2nd month of every quarter at 09:00{SHORTER}",
    ),
    ({"every": "year", "month": 12, "day": 31}, "the 31st day of every December at 09:00"),
    ({"every": "year", "month": 2, "day": 29}, f"the 29th day of every February at 09:00{SHORTER}"),
)


@pytest.mark.parametrize(("rule", "words"), TABLE, ids=[words for _, words in TABLE])
def test_a_rule_in_words(rule: dict[str, Any], words: str) -> None:
    assert description(STORED.validate_python(rule), "09:00") == words
