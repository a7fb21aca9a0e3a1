"""The model of the period language: the contract's table, read word by word."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any, TypeAlias

from tests.services.api.views.intervals import DAY, beginning, ending, shifted

Days: TypeAlias = tuple[date, date]

_CALENDAR = ("week", "month", "quarter", "year")


def days_of(words: str, today: date, fiscal: tuple[int, int] = (1, 1)) -> Days:
    """The first and last day of a period. Raises ValueError if it has none.

    `fiscal` is the month and day on which each fiscal year begins.
    """
    first, dots, last = words.partition("..")
    try:
        start, end = _word(first, today, fiscal)
        if dots:
            end = _word(last, today, fiscal)[1]
    except OverflowError:
        raise ValueError(words) from None
    if start > end:
        raise ValueError(words)
    return start, end


def _word(word: str, today: date, fiscal: tuple[int, int]) -> Days:
    fixed = _fixed(today, fiscal)
    if word in fixed:
        return fixed[word]()
    for pattern, meaning in _PATTERNS:
        if found := re.fullmatch(pattern, word, re.ASCII):
            return meaning(today, fiscal, *found.groups())
    raise ValueError(word)


def _fixed(today: date, fiscal: tuple[int, int]) -> dict[str, Callable[[], Days]]:
    words: dict[str, Callable[[], Days]] = {
        "today": lambda: (today, today),
        "yesterday": lambda: (today - DAY, today - DAY),
        "mtd": lambda: (beginning(today, "month"), today),
        "qtd": lambda: (beginning(today, "quarter"), today),
        "ytd": lambda: (beginning(today, "year"), today),
        "last-12-months": lambda: (
            shifted(beginning(today, "month"), -12),
            beginning(today, "month") - DAY,
        ),
        "fy": lambda: _fiscal(today, fiscal, _current_fiscal(today, fiscal)),
        "last-fy": lambda: _fiscal(today, fiscal, _current_fiscal(today, fiscal) - 1),
    }
    for interval in _CALENDAR:
        words[f"this-{interval}"] = lambda interval=interval: _whole(today, interval)
        words[f"last-{interval}"] = lambda interval=interval: _ago(today, fiscal, interval, "1")
    for count in (7, 30, 90):
        words[f"last-{count}-days"] = lambda count=count: (today - (count - 1) * DAY, today)
    return words


def _whole(day: date, interval: str) -> Days:
    return beginning(day, interval), ending(beginning(day, interval), interval)


def _ago(today: date, _: Any, interval: str, count: str) -> Days:
    first = beginning(today, interval)
    if interval == "week":
        return _whole(first - timedelta(weeks=int(count)), "week")
    months = {"month": 1, "quarter": 3, "year": 12}[interval]
    return _whole(shifted(first, -months * int(count)), interval)


def _year(_: Any, __: Any, year: str) -> Days:
    return _whole(date(int(year), 1, 1), "year")


def _quarter(_: Any, __: Any, year: str, quarter: str) -> Days:
    return _whole(date(int(year), 3 * int(quarter) - 2, 1), "quarter")


def _month(_: Any, __: Any, year: str, month: str) -> Days:
    return _whole(date(int(year), int(month), 1), "month")


def _week(_: Any, __: Any, year: str, week: str) -> Days:
    return _whole(date.fromisocalendar(int(year), int(week), 1), "week")


def _day(_: Any, __: Any, text: str) -> Days:
    return date.fromisoformat(text), date.fromisoformat(text)


def _current_fiscal(today: date, fiscal: tuple[int, int]) -> int:
    """The number of the fiscal year of a day: the calendar year in which it ends."""
    year = today.year
    return year + 1 if (today.month, today.day) >= fiscal > (1, 1) else year


def _fiscal(_: Any, fiscal: tuple[int, int], year: int | str) -> Days:
    month, day = fiscal
    year = int(year)
    if fiscal == (1, 1):
        return date(year, 1, 1), date(year, 12, 31)
    return date(year - 1, month, day), date(year, month, day) - DAY


def _fiscal_quarter(_: Any, fiscal: tuple[int, int], year: str, quarter: str) -> Days:
    month, day = fiscal
    if fiscal == (1, 1):
        return _quarter(_, fiscal, year, quarter)
    # The quarter may lie in the year 1 although its fiscal year began before.
    first, months = date(int(year), month, day), 3 * int(quarter) - 15
    return shifted(first, months), shifted(first, months + 3) - DAY


_PATTERNS: tuple[tuple[str, Callable[..., Days]], ...] = (
    (r"(\d{4})", _year),
    (r"(\d{4})-Q([1-4])", _quarter),
    (r"(\d{4})-(\d{2})", _month),
    (r"(\d{4})-W(\d{2})", _week),
    (r"(\d{4}-\d{2}-\d{2})", _day),
    (r"fy(\d{4})", _fiscal),
    (r"fy(\d{4})-Q([1-4])", _fiscal_quarter),
    (r"(week|month|quarter|year)-(\d{1,4})", _ago),
)
