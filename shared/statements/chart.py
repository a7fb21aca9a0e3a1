"""The chart of what was billed and paid in each part of a statement's period."""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import suppress
from decimal import Decimal
from typing import Any, Final, NamedTuple

from shared.period import Period
from shared.statements.language import Language
from shared.statements.model import Transaction

_BARS: Final = 13  # at most
_WEEK: Final = 7
_MONTHS: Final = 12


class _Step(NamedTuple):
    """A way to divide a period: the first day of the part that a day is in, and its name."""

    first_day: Callable[[dt.date], dt.date]
    next_day: Callable[[dt.date], dt.date]
    name: Callable[[Language, dt.date], str]


class _Bar(NamedTuple):
    label: str
    billed: Decimal
    paid: Decimal


def chart(
    transactions: Iterable[Transaction], period: Period, currency: str, language: Language
) -> dict[str, Any] | None:
    """Return bars of what was billed, less credit notes, and paid, less refunds; at most 13.

    They are weeks, months, quarters or years. None if there is nothing to compare. The shares are
    for drawing only.
    """
    bars = _bars(list(transactions), period, language)
    largest = max((max(bar.billed, bar.paid) for bar in bars), default=Decimal(0))
    if len(bars) < len(("before", "after")) or largest <= 0:
        return None
    shown = [_shown(bar, largest, currency, language) for bar in bars]
    return {
        "alt": _in_words(shown, language),
        "bars": shown,
        "legend": {"billed": language.say("Billed"), "paid": language.say("Paid")},
    }


def _shown(bar: _Bar, largest: Decimal, currency: str, language: Language) -> dict[str, Any]:
    return {
        "label": bar.label,
        "billed": language.figure(bar.billed, currency),
        "paid": language.figure(bar.paid, currency),
        "billed_share": float(max(bar.billed, Decimal(0)) / largest),
        "paid_share": float(max(bar.paid, Decimal(0)) / largest),
    }


def _in_words(bars: list[dict[str, Any]], language: Language) -> str:
    # Translators: the words of a chart for people who do not see it; {label} is a week or month.
    return " ".join(
        language.say(
            "{label}: billed {billed}, paid {paid}.",
            label=bar["label"],
            billed=bar["billed"],
            paid=bar["paid"],
        )
        for bar in bars
    )


def _bars(transactions: list[Transaction], period: Period, language: Language) -> list[_Bar]:
    if not transactions:
        return []
    step, firsts = _divided(period)
    billed: dict[dt.date, Decimal] = defaultdict(Decimal)
    paid: dict[dt.date, Decimal] = defaultdict(Decimal)
    for transaction in transactions:
        first = step.first_day(transaction.date)
        if transaction.kind in {"invoice", "credit_note"}:
            billed[first] += transaction.change
        else:
            paid[first] -= transaction.change
    return [
        _Bar(step.name(language, max(first, period.start)), billed[first], paid[first])
        for first in firsts
    ]


def _divided(period: Period) -> tuple[_Step, list[dt.date]]:
    """Return the finest step that has few enough parts, and the first day of each part."""
    for step in _STEPS:
        firsts = _firsts(step, period)
        if len(firsts) <= _BARS:
            return step, firsts
    years = -(-(period.end.year - period.start.year + 1) // _BARS)
    step = _years(years, period.start.year)
    return step, _firsts(step, period)


def _firsts(step: _Step, period: Period) -> list[dt.date]:
    firsts = [step.first_day(period.start)]
    # Beyond the last year of the calendar there is no next day.
    with suppress(OverflowError, ValueError):
        while len(firsts) <= _BARS and (following := step.next_day(firsts[-1])) <= period.end:
            firsts.append(following)
    return firsts


def _months(count: int, name: Callable[[Language, dt.date], str]) -> _Step:
    def first_day(day: dt.date) -> dt.date:
        return day.replace(month=(day.month - 1) // count * count + 1, day=1)

    def next_day(first: dt.date) -> dt.date:
        months = first.year * _MONTHS + first.month - 1 + count
        return dt.date(months // _MONTHS, months % _MONTHS + 1, 1)

    return _Step(first_day, next_day, name)


def _years(count: int, start: int) -> _Step:
    def first_day(day: dt.date) -> dt.date:
        return dt.date(start + (day.year - start) // count * count, 1, 1)

    def next_day(first: dt.date) -> dt.date:
        return dt.date(first.year + count, 1, 1)

    def name(language: Language, first: dt.date) -> str:
        last = first_day(first).year + count - 1
        written = str(first.year) if last == first.year else f"{first.year}–{last}"
        return language.numbers.in_digits(written)

    return _Step(first_day, next_day, name)


_STEPS: Final = (
    _Step(
        lambda day: day - dt.timedelta(days=day.weekday()),
        lambda first: first + dt.timedelta(days=_WEEK),
        lambda language, first: language.dates.day_of_year(first),
    ),
    _months(1, lambda language, first: language.dates.month(first)),
    _months(3, lambda language, first: language.dates.quarter(first)),
)
