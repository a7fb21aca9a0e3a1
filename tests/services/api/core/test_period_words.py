"""Every word of the period language, against tables written by hand."""

from datetime import date

import pytest

from services.api.core.period_words import EXAMPLES, WORD_CHARS_MAX, period_of_word
from shared.period import Period

SATURDAY = date(2026, 11, 28)
NEW_YEAR = date(2027, 1, 1)  # a Friday, in week 53 of 2026
LEAP_DAY = date(2028, 2, 29)

TABLE = (
    # The word, and its days on a Saturday in November, on New Year's Day and on a leap day.
    ("today", "2026-11-28", "2027-01-01", "2028-02-29"),
    ("yesterday", "2026-11-27", "2026-12-31", "2028-02-28"),
    ("this-week", "2026-11-23 2026-11-29", "2026-12-28 2027-01-03", "2028-02-28 2028-03-05"),
    ("last-week", "2026-11-16 2026-11-22", "2026-12-21 2026-12-27", "2028-02-21 2028-02-27"),
    ("this-month", "2026-11-01 2026-11-30", "2027-01-01 2027-01-31", "2028-02-01 2028-02-29"),
    ("last-month", "2026-10-01 2026-10-31", "2026-12-01 2026-12-31", "2028-01-01 2028-01-31"),
    ("this-quarter", "2026-10-01 2026-12-31", "2027-01-01 2027-03-31", "2028-01-01 2028-03-31"),
    ("last-quarter", "2026-07-01 2026-09-30", "2026-10-01 2026-12-31", "2027-10-01 2027-12-31"),
    ("this-year", "2026-01-01 2026-12-31", "2027-01-01 2027-12-31", "2028-01-01 2028-12-31"),
    ("last-year", "2025-01-01 2025-12-31", "2026-01-01 2026-12-31", "2027-01-01 2027-12-31"),
    ("mtd", "2026-11-01 2026-11-28", "2027-01-01", "2028-02-01 2028-02-29"),
    ("qtd", "2026-10-01 2026-11-28", "2027-01-01", "2028-01-01 2028-02-29"),
    ("ytd", "2026-01-01 2026-11-28", "2027-01-01", "2028-01-01 2028-02-29"),
    ("last-7-days", "2026-11-22 2026-11-28", "2026-12-26 2027-01-01", "2028-02-23 2028-02-29"),
    ("last-30-days", "2026-10-30 2026-11-28", "2026-12-03 2027-01-01", "2028-01-31 2028-02-29"),
    ("last-90-days", "2026-08-31 2026-11-28", "2026-10-04 2027-01-01", "2027-12-02 2028-02-29"),
    ("last-12-months", "2025-11-01 2026-10-31", "2026-01-01 2026-12-31", "2027-02-01 2028-01-31"),
    ("fy", "2026-01-01 2026-12-31", "2027-01-01 2027-12-31", "2028-01-01 2028-12-31"),
    ("last-fy", "2025-01-01 2025-12-31", "2026-01-01 2026-12-31", "2027-01-01 2027-12-31"),
    ("month-0", "2026-11-01 2026-11-30", "2027-01-01 2027-01-31", "2028-02-01 2028-02-29"),
    ("month-1", "2026-10-01 2026-10-31", "2026-12-01 2026-12-31", "2028-01-01 2028-01-31"),
    ("month-11", "2025-12-01 2025-12-31", "2026-02-01 2026-02-28", "2027-03-01 2027-03-31"),
    ("month-0012", "2025-11-01 2025-11-30", "2026-01-01 2026-01-31", "2027-02-01 2027-02-28"),
    ("quarter-2", "2026-04-01 2026-06-30", "2026-07-01 2026-09-30", "2027-07-01 2027-09-30"),
    ("year-1", "2025-01-01 2025-12-31", "2026-01-01 2026-12-31", "2027-01-01 2027-12-31"),
    ("week-3", "2026-11-02 2026-11-08", "2026-12-07 2026-12-13", "2028-02-07 2028-02-13"),
    ("week-9999", "1835-04-06 1835-04-12", "1835-05-11 1835-05-17", "1836-07-11 1836-07-17"),
    ("month-1..mtd", "2026-10-01 2026-11-28", "2026-12-01 2027-01-01", "2028-01-01 2028-02-29"),
    ("2026-W52..last-year", "", "2026-12-21 2026-12-31", "2026-12-21 2027-12-31"),
)  # fmt: skip
# Words that mean the same days whenever they are said.
FIXED = {
    "2026": "2026-01-01 2026-12-31",
    "0001": "0001-01-01 0001-12-31",
    "9999": "9999-01-01 9999-12-31",
    "2026-Q1": "2026-01-01 2026-03-31",
    "2026-Q2": "2026-04-01 2026-06-30",
    "2026-Q3": "2026-07-01 2026-09-30",
    "9999-Q4": "9999-10-01 9999-12-31",
    "2026-03": "2026-03-01 2026-03-31",
    "2028-02": "2028-02-01 2028-02-29",
    "2100-02": "2100-02-01 2100-02-28",
    "9999-12": "9999-12-01 9999-12-31",
    "2026-W12": "2026-03-16 2026-03-22",
    "2026-W01": "2025-12-29 2026-01-04",
    "2026-W53": "2026-12-28 2027-01-03",
    "0001-W01": "0001-01-01 0001-01-07",
    "9999-W51": "9999-12-20 9999-12-26",
    "2026-03-14": "2026-03-14",
    "2028-02-29": "2028-02-29",
    "2025-Q4..2026-02": "2025-10-01 2026-02-28",
    "2026-03-14..2026": "2026-03-14 2026-12-31",
    "2026..2026-03-14": "2026-01-01 2026-03-14",
    "0001..9999": "0001-01-01 9999-12-31",
}
FISCAL = (
    # The first day of fiscal years, the word, and its days on the Saturday in November.
    ("04-01", "fy", "2026-04-01 2027-03-31"),
    ("04-01", "last-fy", "2025-04-01 2026-03-31"),
    ("04-01", "fy2026", "2025-04-01 2026-03-31"),
    ("04-01", "fy2026-Q1", "2025-04-01 2025-06-30"),
    ("04-01", "fy2026-Q3", "2025-10-01 2025-12-31"),
    ("04-01", "fy2026-Q4", "2026-01-01 2026-03-31"),
    ("04-01", "last-fy..fy", "2025-04-01 2027-03-31"),
    ("11-28", "fy", "2026-11-28 2027-11-27"),
    ("11-28", "fy2027-Q1", "2026-11-28 2027-02-27"),
    ("12-01", "fy", "2025-12-01 2026-11-30"),
    ("07-15", "fy2026", "2025-07-15 2026-07-14"),
    ("07-15", "fy2026-Q3", "2026-01-15 2026-04-14"),
    ("02-28", "fy2028", "2027-02-28 2028-02-27"),
    ("02-28", "fy2029", "2028-02-28 2029-02-27"),
    ("01-02", "fy2026", "2025-01-02 2026-01-01"),
    ("01-01", "fy2026", "2026-01-01 2026-12-31"),
    ("01-01", "fy2026-Q3", "2026-07-01 2026-09-30"),
    ("01-01", "fy9999-Q4", "9999-10-01 9999-12-31"),
    ("01-02", "fy9999", "9998-01-02 9999-01-01"),
    ("12-28", "fy0002", "0001-12-28 0002-12-27"),
    # Words of the calendar are the same, whenever fiscal years begin.
    ("07-15", "this-year", "2026-01-01 2026-12-31"),
    ("07-15", "this-quarter", "2026-10-01 2026-12-31"),
)
_NO_WORDS = """
.. today.. ..today today..today..today today...today today-today today..yesterday
2026-04..2026-03 tomorrow next-month last this month quarter- month-1- month--1 month-+1
month-10000 month-00001 month-1.5 day-1 last-8-days last-07-days last-1-months
Today TODAY this_month 2026-q1 2026-Q0 2026-Q5 2026-Q01 2026Q1 2026-00 2026-13 2026-3
2026-W1 2026-W00 2026-W54 2025-W53 2026-W012 2026-w12 2026-W12-1 2026-3-14 2026-02-29
2026-02-30 2026-00-10 2026-13-01 20260314 26 226 02026 -2026 +2026 2026-03-14T00:00
2026-03-14/2026-03-15 fy26 FY2026 fy-1 fy2026-Q5 fy2026-03 last-fy2026 this-fy
"""
NONE = (
    *_NO_WORDS.split(),
    *("", " ", "this month", " today", "2026\n", "today\0", "\u0662\u0660\u0662\u0666"),
    *("\uff12\uff10\uff12\uff16", "month-\uff11", "2026\u201303"),
    *("a" * 41, "9" * 100_000, "today.." * 50_000),
)
OUTSIDE = (
    *("0000", "0000-Q4", "0000-12", "0000-W52", "0000-12-31", "fy0000", "9999-W52", "year-2026"),
    *("year-9999", "quarter-8104", "0000..2026", "2026..9999-W52"),
)


def said(text: str) -> Period:
    days = [date.fromisoformat(each) for each in text.split()]
    return Period(days[0], days[-1])


@pytest.mark.parametrize(("word", *"abc"), TABLE, ids=[row[0] for row in TABLE])
def test_a_word_means_these_days(word: str, a: str, b: str, c: str) -> None:
    for today, days in ((SATURDAY, a), (NEW_YEAR, b), (LEAP_DAY, c)):
        if days:
            assert period_of_word(word, today) == said(days), today


@pytest.mark.parametrize(("word", "days"), FIXED.items())
def test_a_word_with_a_year_means_the_same_on_every_day(word: str, days: str) -> None:
    for today in (date.min, SATURDAY, date.max):
        assert period_of_word(word, today, (7, 15)) == said(days)


@pytest.mark.parametrize(("start", "word", "days"), FISCAL)
def test_fiscal_years_are_named_by_the_year_they_end_in(start: str, word: str, days: str) -> None:
    month, day = map(int, start.split("-"))
    assert period_of_word(word, SATURDAY, (month, day)) == said(days)


@pytest.mark.parametrize("word", NONE, ids=lambda word: ascii(word)[:30])
def test_what_is_no_period_is_refused_with_examples(word: str) -> None:
    with pytest.raises(ValueError, match="examples of periods are this-month, last-quarter"):
        period_of_word(word, SATURDAY)


@pytest.mark.parametrize("word", OUTSIDE)
def test_what_leaves_the_years_of_dates_is_refused_with_examples(word: str) -> None:
    with pytest.raises(ValueError, match=r"within the years 0001 to 9999; .* this-month"):
        period_of_word(word, SATURDAY)


def test_words_at_the_ends_of_time() -> None:
    for word in ("yesterday", "last-7-days", "last-month", "last-12-months", "last-fy", "week-1"):
        with pytest.raises(ValueError, match="0001 to 9999"):
            period_of_word(word, date.min)
    for word in ("this-week", "this-month", "this-quarter", "this-year", "fy"):
        if word != "this-week":  # which ends in the year 10000
            assert period_of_word(word, date.max).end == date.max
        assert period_of_word(word, date.min).start == date.min
    for word, start in (("this-week", (1, 1)), ("fy", (1, 2)), ("fy", (12, 28))):
        with pytest.raises(ValueError, match="0001 to 9999"):
            period_of_word(word, date.max, start)


def test_every_example_is_a_word_and_the_longest_word_fits() -> None:
    for word in EXAMPLES:
        assert period_of_word(word, SATURDAY)
    assert len("last-12-months..last-12-months") <= WORD_CHARS_MAX
