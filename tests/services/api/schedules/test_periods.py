"""A word of the period language has to mean days at each occurrence."""

from datetime import date

import pytest

from services.api.core.period_words import period_of_word
from services.api.schedules.occurrences import dates
from services.api.schedules.periods import check
from services.api.schedules.rule import STORED
from shared.period import Period

JANUARY = (1, 1)
MONDAYS = STORED.validate_python({"every": "week", "weekday": "mon"})
LAST_DAYS = STORED.validate_python({"every": "month", "day": "last"})


@pytest.mark.parametrize(
    "word", ["last-month", "mtd", "2026-Q1", "fy", "week-53", "last-fy..today", "2027-01..mtd"]
)
def test_words_that_mean_days_at_each_occurrence(word: str) -> None:
    check(word, dates(LAST_DAYS, date(2026, 12, 31), date(2046, 12, 31)), (4, 1))


@pytest.mark.parametrize(
    ("word", "complaint"),
    [
        ("monthly", "is not a period; examples"),
        ("2026-W54", "is a week that the year lacks; examples"),
        ("year-2027", "is not within the years 0001 to 9999; examples"),
        ("2027-02..mtd", "ends before it begins; examples"),
        # The first of the Mondays is the 7th, and the week before is one of November and December.
        ("this-month..last-week", "on 2027-02-01, an occurrence of the schedule, it ends before"),
        ("last-month..2027-06", "on 2027-08-02, an occurrence of the schedule, it ends before"),
    ],
)
def test_words_that_mean_none_at_one_of_them(word: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint) as refused:
        check(word, dates(MONDAYS, date(2026, 12, 6), date(2027, 12, 31)), JANUARY)
    assert "last-quarter" in str(refused.value)


def test_a_fixed_word_means_the_same_days_each_time() -> None:
    found = {
        period_of_word("2026-Q1", day, JANUARY)
        for day in dates(LAST_DAYS, date(2026, 12, 31), date(2027, 12, 31))
    }
    assert found == {Period(date(2026, 1, 1), date(2026, 3, 31))}
