"""The values of a report as people read them; nothing is ever rounded."""

from datetime import date, datetime
from decimal import Decimal

from services.api.formats.report import Kind, Value
from shared.statements.money import MINUS, figure
from shared.statements.wording import line, short_day

NOTHING = "–"
_TEXT_CHARS_MAX = 80

NUMBERS = frozenset({Kind.MONEY, Kind.COUNT, Kind.DAYS, Kind.PERCENT})


def text(value: Value, kind: Kind, currency: str) -> str:
    """Return a value as one line of text."""
    if value is None:
        return NOTHING
    if isinstance(value, (datetime, date)):
        return _moment(value)
    if kind in NUMBERS:
        number = Decimal(value)
        return figure(number, currency) if kind is Kind.MONEY else _number(number)
    if kind is Kind.FLAG:
        return "Yes" if value else "No"
    return line(str(value), _TEXT_CHARS_MAX)


def aligned(texts: list[str]) -> list[str]:
    """Return the numbers of a column with as many decimals each, so that their points align."""
    behind = [len(each.partition(".")[2]) for each in texts]
    most = max(behind, default=0)
    return [
        each if digits == most or each == NOTHING else _extended(each, most - digits)
        for each, digits in zip(texts, behind, strict=True)
    ]


def _extended(number: str, zeros: int) -> str:
    return f"{number}{'' if '.' in number else '.'}{'0' * zeros}"


def _moment(value: date) -> str:
    return f"{value:%Y-%m-%d %H:%M}" if isinstance(value, datetime) else short_day(value)


def _number(number: Decimal) -> str:
    return f"{MINUS if number < 0 else ''}{number.copy_abs():,f}"
