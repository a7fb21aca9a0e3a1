"""The period language: one word, such as `last-quarter` or `2026-Q1`, instead of two dates."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from shared.period import Period

EXAMPLES = (
    "this-month",
    "last-quarter",
    "ytd",
    "last-30-days",
    "2026",
    "2026-Q1",
    "2026-03",
    "2026-W12",
    "fy2026",
    "month-1",
    "2026-01..2026-03",
)
WORD_CHARS_MAX = 40  # the longest word has 30: last-12-months..last-12-months

_YEAR, _QUARTER, _MONTH = 12, 3, 1  # months
_LENGTHS = {"month": _MONTH, "quarter": _QUARTER, "year": _YEAR}
# Months are counted from January of the year 0.
_FIRST_MONTH = date.min.year * _YEAR
_AFTER_LAST_MONTH = (date.max.year + 1) * _YEAR


def period_of_word(word: str, today: date, fiscal_year_start: tuple[int, int] = (1, 1)) -> Period:
    """Return the days that `word` means on the day `today`.

    `fiscal_year_start` is the month and the day, at most the 28th, on which fiscal years begin.
    Raises ValueError, which lists examples, if there is no such word, if the year lacks the week or
    the day, or if the period leaves the years 0001 to 9999.
    """
    if len(word) > WORD_CHARS_MAX:
        raise _wrong("is not a period")
    calendar = _Calendar(today, fiscal_year_start)
    first, dots, last = word.partition("..")
    if not dots:
        return _period(word, calendar)
    start, end = _period(first, calendar).start, _period(last, calendar).end
    if start > end:
        raise _wrong("ends before it begins")
    return Period(start, end)


def _period(word: str, calendar: "_Calendar") -> Period:
    for form, meaning in _MEANINGS.items():
        if match := form.fullmatch(word):
            return meaning(calendar, *match.groups())
    raise _wrong("is not a period")


def _wrong(why: str) -> ValueError:
    return ValueError(f"{why}; examples of periods are {', '.join(EXAMPLES)}")


@dataclass(frozen=True)
class _Calendar:
    """The periods around a day, and fiscal years, each named by the year in which it ends."""

    today: date
    fiscal_year_start: tuple[int, int]

    def before(self, unit: str, count: int) -> Period:
        """Return the week, month, quarter or year that is `count` of them before the current."""
        if unit == "week":
            return _week(self.today.toordinal() - self.today.weekday() - 7 * count)
        length = _LENGTHS[unit]
        month = self.today.year * _YEAR + self.today.month - 1
        return _months(month - month % length - count * length, length)

    def to_date(self, unit: str) -> Period:
        """Return the days from the start of the current month, quarter or year to today."""
        return Period(self.before(unit, 0).start, self.today)

    def last_days(self, count: int, *, until: int = 0) -> Period:
        """Return so many days, the last of which is `until` days before today."""
        last = self.today.toordinal() - until
        return _days(last - count + 1, last)

    def last_months(self, count: int) -> Period:
        """Return so many complete months before the current one."""
        return Period(self.before("month", count).start, self.before("month", 1).end)

    def fiscal_year(self, year: int) -> Period:
        """Return the fiscal year of this name."""
        return self._fiscal(year, 0, _YEAR)

    def fiscal_quarter(self, year: int, quarter: int) -> Period:
        """Return a quarter, 1 to 4, of the fiscal year of this name."""
        return self._fiscal(year, (quarter - 1) * _QUARTER, _QUARTER)

    @property
    def current_fiscal_year(self) -> int:
        """The name of the fiscal year that has today."""
        has_begun = (self.today.month, self.today.day) >= self.fiscal_year_start
        return self.today.year + has_begun - self._ends_as_it_begins

    @property
    def _ends_as_it_begins(self) -> bool:
        """Whether a fiscal year begins and ends in the same calendar year."""
        return self.fiscal_year_start == (1, 1)

    def _fiscal(self, year: int, month: int, length: int) -> Period:
        begins_in = year - (not self._ends_as_it_begins)
        first_month, day = self.fiscal_year_start
        return _months(begins_in * _YEAR + first_month - 1 + month, length, day)


def _months(first: int, count: int, day: int = 1) -> Period:
    """Return `count` months, of which the first one begins on `day` of the month `first`."""
    after = first + count
    # The day after the last one of the year 9999 is none.
    if first < _FIRST_MONTH or (after, day) > (_AFTER_LAST_MONTH, 1):
        raise _outside()
    last = _ordinal(after, day) - 1 if after < _AFTER_LAST_MONTH else date.max.toordinal()
    return _days(_ordinal(first, day), last)


def _ordinal(month: int, day: int) -> int:
    return date(month // _YEAR, month % _YEAR + 1, day).toordinal()


def _week(monday: int) -> Period:
    return _days(monday, monday + 6)


def _days(first: int, last: int) -> Period:
    """Return the period between two days, which are given as date.toordinal() counts them."""
    if first < date.min.toordinal() or last > date.max.toordinal():
        raise _outside()
    return Period(date.fromordinal(first), date.fromordinal(last))


def _outside() -> ValueError:
    return _wrong("is not within the years 0001 to 9999")


def _named_week(year: int, week: int) -> Period:
    if year < date.min.year:
        raise _outside()
    try:
        monday = date.fromisocalendar(year, week, 1)
    except ValueError:
        raise _wrong("is a week that the year lacks") from None
    return _week(monday.toordinal())


def _named_day(year: int, month: int, day: int) -> Period:
    if year < date.min.year:
        raise _outside()
    try:
        found = date(year, month, day)
    except ValueError:
        raise _wrong("is a date that does not exist") from None
    return Period(found, found)


_UNIT, _NAME = "(week|month|quarter|year)", "([0-9]{4})"
# The meaning of each form of a word; it takes what the parentheses match.
_MEANINGS: dict[re.Pattern[str], Callable[..., Period]] = {
    re.compile(form): meaning
    for form, meaning in (
        ("today", lambda calendar: calendar.last_days(1)),
        ("yesterday", lambda calendar: calendar.last_days(1, until=1)),
        (f"this-{_UNIT}", lambda calendar, unit: calendar.before(unit, 0)),
        (f"last-{_UNIT}", lambda calendar, unit: calendar.before(unit, 1)),
        (f"{_UNIT}-([0-9]{{1,4}})", lambda calendar, unit, n: calendar.before(unit, int(n))),
        ("mtd", lambda calendar: calendar.to_date("month")),
        ("qtd", lambda calendar: calendar.to_date("quarter")),
        ("ytd", lambda calendar: calendar.to_date("year")),
        ("last-(7|30|90)-days", lambda calendar, n: calendar.last_days(int(n))),
        ("last-12-months", lambda calendar: calendar.last_months(12)),
        (_NAME, lambda _, year: _months(int(year) * _YEAR, _YEAR)),
        (
            f"{_NAME}-Q([1-4])",
            lambda _, year, n: _months(int(year) * _YEAR + (int(n) - 1) * _QUARTER, _QUARTER),
        ),
        (
            f"{_NAME}-(0[1-9]|1[0-2])",
            lambda _, year, n: _months(int(year) * _YEAR + int(n) - 1, _MONTH),
        ),
        (f"{_NAME}-W([0-9]{{2}})", lambda _, year, n: _named_week(int(year), int(n))),
        (f"{_NAME}-([0-9]{{2}})-([0-9]{{2}})", lambda _, *day: _named_day(*map(int, day))),
        ("fy", lambda calendar: calendar.fiscal_year(calendar.current_fiscal_year)),
        ("last-fy", lambda calendar: calendar.fiscal_year(calendar.current_fiscal_year - 1)),
        (f"fy{_NAME}", lambda calendar, year: calendar.fiscal_year(int(year))),
        (
            f"fy{_NAME}-Q([1-4])",
            lambda calendar, year, n: calendar.fiscal_quarter(int(year), int(n)),
        ),
    )
}
