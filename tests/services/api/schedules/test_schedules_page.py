"""The examples of docs/schedules.md are what the code does."""

import re
from datetime import date, datetime
from itertools import islice
from pathlib import Path

import orjson
import pytest

from services.api.core.period_words import period_of_word
from services.api.schedules.instants import instant
from services.api.schedules.occurrences import dates
from services.api.schedules.periods import check
from services.api.schedules.rule import STORED

PAGE = (Path(__file__).parents[4] / "docs/schedules.md").read_text("utf-8")
NEW_YEARS_EVE = date(2026, 12, 31)
RULES = re.findall(r"^\| `(\{.*\})` \| (20[0-9, -]+) \|$", PAGE, re.MULTILINE)
INSTANTS = re.findall(
    r"^\| (\w+/\w+) \| ([0-9-]+) ([0-9:]{5}) \| ([0-9-]+ [0-9:]{5}) \|", PAGE, re.MULTILINE
)
[DAYS] = re.findall(r"^\| word \| on ([0-9-]+) \| on ([0-9-]+) \|$", PAGE, re.MULTILINE)
_PERIOD = "([0-9-]+ to [0-9-]+)"
WORDS = re.findall(rf"^\| `([\w-]+)` \| {_PERIOD} \| {_PERIOD} \|$", PAGE, re.MULTILINE)


def test_all_examples_are_found() -> None:
    assert (len(RULES), len(INSTANTS), len(WORDS)) == (12, 8, 6)


@pytest.mark.parametrize(("rule", "days"), RULES)
def test_occurrences(rule: str, days: str) -> None:
    found = dates(STORED.validate_python(orjson.loads(rule)), NEW_YEARS_EVE)
    assert ", ".join(day.isoformat() for day in islice(found, 4)) == days


@pytest.mark.parametrize(("zone", "day", "time", "utc"), INSTANTS)
def test_instants(zone: str, day: str, time: str, utc: str) -> None:
    local = datetime.fromisoformat(f"{day} {time}")
    assert f"{instant(local.date(), local.time(), zone):%Y-%m-%d %H:%M}" == utc


@pytest.mark.parametrize(("word", "first", "second"), WORDS)
def test_periods(word: str, first: str, second: str) -> None:
    for day, expected in zip(DAYS, (first, second), strict=True):
        found = period_of_word(word, date.fromisoformat(day))
        assert f"{found.start} to {found.end}" == expected


def test_the_word_that_is_refused() -> None:
    month = STORED.validate_python({"every": "month", "day": 1})
    with pytest.raises(ValueError, match="on 2027-08-01"):
        check("last-month..2027-06", islice(dates(month, NEW_YEARS_EVE), 12), (1, 1))
