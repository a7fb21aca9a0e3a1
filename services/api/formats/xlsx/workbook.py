"""Writes a workbook: its rows on one sheet, and on a second one the totals and what they mean."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, Final

from rustpy_xlsxwriter import FastExcel, Format

from services.api.formats.report import Kind
from services.api.formats.xlsx.cells import rows_of_cells, text_cell
from services.api.formats.xlsx.plan import Plan

_DECIMALS_MAX: Final = 4  # of an amount in the ledger
_FORMS: Final = {
    Kind.ID: "0",
    Kind.COUNT: "#,##0",
    Kind.DAYS: "0.00",
    Kind.PERCENT: "0.00",
    Kind.DATE: "yyyy-mm-dd",
    Kind.CLOCK: "yyyy-mm-dd hh:mm:ss",
    Kind.FLAG: "0",
}
_WIDTHS: Final = {Kind.TEXT: 26.0, Kind.CLOCK: 19.0, Kind.MONEY: 16.0}
_WIDTH: Final = 12.0
_ABOUT_WIDTHS: Final = [26.0, 44.0]
_ABOUT: Final = "Totals"


def write(path: str, plan: Plan, batches: Iterable[Sequence[Sequence[Any]]]) -> None:
    """Write a workbook. Rows are not gathered: memory stays the same for any number of them.

    Raises FractionError if an amount needs `has_fractions`.
    """
    names = [name for name, _ in plan.columns]
    kinds = [Kind(kind) for _, kind in plan.columns]
    rows = rows_of_cells(kinds, batches, whole_money=not (plan.decimals or plan.has_fractions))
    head = Format().set_bold()
    workbook = FastExcel(path).freeze(row=1)
    workbook.sheet(
        plan.sheet,
        _records(names, rows),
        column_formats={name: _form(kind, plan) for name, kind in zip(names, kinds, strict=True)},
        column_widths=[_WIDTHS.get(kind, _WIDTH) for kind in kinds],
        header_format=head,
        autofilter=True,
        # An id of many digits is a text on purpose.
        ignore_errors=[name for name, kind in zip(names, kinds, strict=True) if kind is Kind.ID],
    )
    about = [
        *((name, value, Kind(kind)) for name, kind, value in plan.totals),
        *((name, text_cell(text), Kind.TEXT) for name, text in plan.about),
    ]
    workbook.sheet(
        _ABOUT,
        [{"field": name, "value": value} for name, value, _ in about],
        row_formats={row: _form(kind, plan) for row, (_, _, kind) in enumerate(about, start=1)},
        column_widths=_ABOUT_WIDTHS,
        header_format=head,
        # Leaves the mode of constant memory, in which the last row with a form is written twice.
        dedupe_strings=True,
    )
    workbook.save()


def _records(names: Sequence[str], rows: Iterator[Sequence[Any]]) -> Iterator[dict[str, Any]]:
    # The header is made of the first record, so without rows there is one of blank cells.
    first = next(rows, (None,) * len(names))
    return (dict(zip(names, row, strict=True)) for row in chain([first], rows))


def _form(kind: Kind, plan: Plan) -> Format:
    if kind is Kind.TEXT:
        # Otherwise a text like =1+1 would become a formula as soon as somebody edits its cell.
        return Format().set_quote_prefix()
    return Format().set_num_format(_money(plan) if kind is Kind.MONEY else _FORMS[kind])


def _money(plan: Plan) -> str:
    if not (plan.decimals or plan.has_fractions):
        return "#,##0"
    return "#,##0." + "0" * plan.decimals + "#" * (_DECIMALS_MAX - plan.decimals)
