"""A report as the words and figures of its PDF."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from services.api.formats.page.names import with_names
from services.api.formats.page.navigation import Bar, Navigation, shown
from services.api.formats.report import Column, Kind, Report, Value
from shared.statements.money import MINUS, figure
from shared.statements.view import View
from shared.statements.wording import clock, day, line, local, period

_BARS_MAX: Final = 10
_FIGURES: Final = frozenset({Kind.MONEY, Kind.COUNT, Kind.DAYS, Kind.PERCENT})
_NAME_CHARS_MAX: Final = 200
_TEXT_CHARS_MAX: Final = 400
_LABEL_CHARS_MAX: Final = 60
_LONG_WORD: Final = 12  # letters; shorter ones fit into their column
# The size of letters by the width of a row in characters, with its texts counted as the least that
# they need: a page has room for so many.
_SIZES: Final = ((110, 9.0), (130, 8.0), (150, 7.0), (180, 6.0))
_SMALLEST: Final = 5.0
_TEXT_WIDTH: Final = 24


def view(report: Report, navigation: Navigation, rows: Sequence[Sequence[Value]]) -> View:
    """Return the words and figures of the columns that are shown, as a template needs them."""
    currency = report.business.currency
    columns = shown(report, navigation)
    rows = with_names(report.columns, rows)
    now = local(_generated_at(report), report.business.timezone)
    table = [[_cell(column, row[place], currency) for place, column in columns] for row in rows]
    label = _label(navigation, len(rows))
    totals = _totals(report, [column for _, column in columns], currency, label)
    bars = navigation.bars[:_BARS_MAX] or _largest(columns, rows)
    return {
        "title": report.title,
        "business": line(report.business.name, _NAME_CHARS_MAX) or f"Business {report.business.id}",
        "period": period(report.period),
        "currency": currency,
        "definition": f"{_definition(report)} Prepared {day(now.date())}, {clock(now)}.",
        "size": _size(columns, table, totals),
        "columns": [
            {"title": column.title, "figure": column.kind in _FIGURES} for _, column in columns
        ],
        "rows": table,
        "totals": totals,
        "bars_title": navigation.bars_title or _bars_title(columns),
        "bars": _bars(bars, currency),
        "bars_alt": "; ".join(
            f"{line(bar.label, _LABEL_CHARS_MAX)}: {figure(bar.value, currency)}" for bar in bars
        ),
    }


def _generated_at(report: Report) -> datetime:
    said = report.meta.get("generated_at")
    return datetime.fromisoformat(said) if isinstance(said, str) else datetime.now(UTC)


def _definition(report: Report) -> str:
    """Return what the figures count, in one sentence."""
    meta: Mapping[str, Any] = report.meta
    is_cash = meta.get("basis") == "cash"
    payments = (
        "payments dated in the period"
        if is_cash
        else "payments on the documents of the period, whatever their date"
    )
    version = f" (definition {meta['definition']})" if "definition" in meta else ""
    return (
        f"{'Cash' if is_cash else 'Accrual'} basis{version}: issued documents dated in the period,"
        f" both days included; {payments}. Drafts, void documents and unsettled payments never"
        " count."
    )


def _cell(column: Column, value: Value, currency: str) -> str | list[str]:
    text = _text(column.kind, value, currency)
    if column.kind is Kind.TEXT and any(len(word) >= _LONG_WORD for word in text.split()):
        return [text]  # so marked, because looking for room takes long
    return text


def _text(kind: Kind, value: Value, currency: str) -> str:
    match value:
        case None:
            text = ""
        case int() | Decimal() if kind is Kind.COUNT:
            text = f"{int(value):,}".replace("-", MINUS)
        case Decimal():
            text = figure(value, currency) if kind is Kind.MONEY else _decimal(value)
        case datetime():
            text = value.isoformat(" ", "minutes")
        case int() if kind is Kind.FLAG:
            text = "yes" if value else ""
        case _:
            text = line(str(value), _TEXT_CHARS_MAX)
    return text


def _decimal(value: Decimal) -> str:
    return f"{value:,.2f}".replace("-", MINUS)


def _totals(report: Report, columns: Sequence[Column], currency: str, label: str) -> Sequence[str]:
    """Return the cells of the last row, the first of which says that they are totals."""
    found = [
        _text(column.kind, report.totals.get(column.name), currency)
        if column.kind in _FIGURES
        else ""
        for column in columns
    ]
    if not any(found):
        return []
    place = found.index("") if "" in found else 0
    found[place] = f"{label} {found[place]}".strip()
    return found


def _label(navigation: Navigation, rows: int) -> str:
    among = navigation.paging.total if navigation.paging else rows
    return "Total" if among == rows else f"Total of all {among:,}"


def _largest(
    columns: Sequence[tuple[int, Column]], rows: Sequence[Sequence[Value]]
) -> Sequence[Bar]:
    """Return the rows with the largest amounts, of the first amount that is shown."""
    name = next((place for place, column in columns if column.kind is Kind.TEXT), None)
    amount = next((place for place, column in columns if column.kind is Kind.MONEY), None)
    if name is None or amount is None:
        return ()
    found = [(value, row) for row in rows if isinstance(value := row[amount], Decimal)]
    found.sort(key=lambda each: -each[0])
    return [Bar(str(row[name] or ""), value) for value, row in found[:_BARS_MAX] if value > 0]


def _bars_title(columns: Sequence[tuple[int, Column]]) -> str:
    title = next((column.title for _, column in columns if column.kind is Kind.MONEY), "")
    return f"The largest by {title.lower()}"


def _bars(bars: Sequence[Bar], currency: str) -> Sequence[View]:
    longest = max((bar.value for bar in bars), default=Decimal(0))
    return [
        {
            "label": line(bar.label, _LABEL_CHARS_MAX) or "(no name)",
            "value": figure(bar.value, currency),
            "share": float(max(bar.value, Decimal(0)) / longest * 100) if longest > 0 else 0.0,
        }
        for bar in bars
    ]


def _size(
    columns: Sequence[tuple[int, Column]],
    table: Sequence[Sequence[str | list[str]]],
    totals: Sequence[str],
) -> float:
    """Return the size of letters, in points, with which the rows fit onto the page."""
    width = 0
    for place, (_, column) in enumerate(columns):
        if column.kind not in _FIGURES:
            width += _TEXT_WIDTH
            continue
        longest = max((len(row[place]) for row in table), default=0)
        words = max(map(len, column.title.split()), default=0)
        width += max(longest, words, len(totals[place]) if totals else 0) + 3
    return next((size for most, size in _SIZES if width <= most), _SMALLEST)
