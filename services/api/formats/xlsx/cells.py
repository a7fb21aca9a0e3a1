"""The values of a report as the cells of a sheet. They come as JSON has them."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any, Final

from services.api.formats.report import Kind

_TEXT_UNITS_MAX: Final = 32_767  # of UTF-16, in one cell
_SURE_CHARS: Final = _TEXT_UNITS_MAX // 2
_CUT: Final = "…"
_BREAK: Final = re.compile(r"\r\n?")
_FORBIDDEN: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_DIGITS_MAX: Final = 10**15  # a spreadsheet program changes the digits of a longer number
_FIRST_YEAR: Final = 1900  # there are no dates before it in a sheet


class FractionError(ValueError):
    """An amount has decimals, though its currency has none."""


def rows_of_cells(
    kinds: Sequence[Kind], batches: Iterable[Sequence[Sequence[Any]]], *, whole_money: bool
) -> Iterator[Sequence[Any]]:
    """Yield the cells of each row. Raises FractionError if an amount is not whole but should be."""
    convert = [_whole if whole_money and kind is Kind.MONEY else _CELLS[kind] for kind in kinds]
    for rows in batches:
        columns = zip(*rows, strict=True)
        changed = [cells(values) for cells, values in zip(convert, columns, strict=False)]
        yield from zip(*changed, strict=True)


def text_cell(text: str | None) -> str | None:
    """Return a text as it fits into a cell: of a length that it holds, in characters that it has.

    A new line is a line feed, and a character that XML forbids is replaced.
    """
    if text is None or (len(text) <= _SURE_CHARS and text.isprintable()):
        return text
    text = _FORBIDDEN.sub("\ufffd", _BREAK.sub("\n", text))
    units = text.encode("utf-16-le")
    if len(units) <= 2 * _TEXT_UNITS_MAX:
        return text
    return units[: 2 * (_TEXT_UNITS_MAX - len(_CUT))].decode("utf-16-le", "ignore") + _CUT


def _same(values: Sequence[Any]) -> Sequence[Any]:
    return values


def _whole(values: Sequence[Any]) -> Sequence[Any]:
    if any(value is not None and value % 1 for value in values):
        raise FractionError
    return values


def _ids(values: Sequence[Any]) -> Sequence[Any]:
    return [
        value if value is None or -_DIGITS_MAX < value < _DIGITS_MAX else str(value)
        for value in values
    ]


def _texts(values: Sequence[Any]) -> Sequence[Any]:
    return [text_cell(value) for value in values]


def _dates(values: Sequence[Any]) -> Sequence[Any]:
    return [_moment(date.fromisoformat, value) for value in values]


def _clocks(values: Sequence[Any]) -> Sequence[Any]:
    return [_moment(datetime.fromisoformat, value) for value in values]


def _moment(read: Callable[[str], date], text: str | None) -> date | str | None:
    if text is None:
        return None
    found = read(text)
    return found if found.year >= _FIRST_YEAR else text.replace("T", " ")


_CELLS: Final[dict[Kind, Callable[[Sequence[Any]], Sequence[Any]]]] = {
    Kind.ID: _ids,
    Kind.TEXT: _texts,
    Kind.MONEY: _same,
    Kind.COUNT: _same,
    Kind.DAYS: _same,
    Kind.PERCENT: _same,
    Kind.DATE: _dates,
    Kind.CLOCK: _clocks,
    Kind.FLAG: _same,
}
