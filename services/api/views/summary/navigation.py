from collections.abc import Sequence
from decimal import Decimal
from functools import partial

from aiohttp import web

from services.api.formats.negotiation import Format
from services.api.formats.page import requested, urls
from services.api.formats.page.names import name_of
from services.api.formats.page.navigation import (
    Bar,
    Fact,
    Interval,
    Link,
    Navigation,
    Table,
    View,
)
from services.api.formats.report import Column, Kind, Value
from services.api.reports.basis import Basis
from services.api.views.summary.model import FIGURES
from services.api.views.summary.report import SummaryAnswer

_SHOWN = ("amount_due", "total_paid", "owing", "balance", "invoice_count", "average_payment_terms")


def navigation(
    request: web.Request, summary: SummaryAnswer, intervals: Sequence[Interval]
) -> Navigation:
    """Return where the page of a summary leads, and what it shows beside the largest customers."""
    by = summary.query.options.by
    shown = tuple(dict.fromkeys([by.value, *_SHOWN]))
    return requested.navigation(
        request,
        View.SUMMARY,
        (Format.JSON,),
        columns=("business_name", *shown, "share"),
        base=urls.short_links(summary.query.report.period),
        links={"business_name": _customer, **{name: _figure(name) for name in shown}},
        facts=_facts(summary),
        bars_title=f"Largest customers: {_title(by).lower()}",
        bars=_bars(summary),
        intervals=intervals,
        tables=(_categories(summary),),
    )


def _shown_figures() -> Sequence[Column]:
    return [each for each in FIGURES if each.name in _SHOWN]


def _title(name: str) -> str:
    return next(each.title for each in FIGURES if each.name == name)


def _facts(summary: SummaryAnswer) -> Sequence[Fact]:
    totals = summary.found.all
    path = urls.view_path(View.LIST, summary.query.report.period)
    query = _basis(summary)
    facts = [
        Fact(each.name, each.kind, each.title, totals.figures[each.name])
        for each in sorted(_shown_figures(), key=lambda each: _SHOWN.index(each.name))
    ]
    active = urls.with_query(path, [*query, ("active", "1")])
    counts = (
        Fact("customers", Kind.COUNT, "Customers", totals.customers, path),
        Fact("active", Kind.COUNT, "Active customers", totals.active, active),
    )
    return (*facts, *counts)


def _bars(summary: SummaryAnswer) -> Sequence[Bar]:
    by = summary.query.options.by
    return tuple(
        Bar(name_of(each.id, each.name), Decimal(str(value)), f"{each.id}", f"{each.id}/{by}")
        for each in summary.found.top
        if (value := each.figures[by])
    )


def _categories(summary: SummaryAnswer) -> Table:
    columns = (
        Column("category", Kind.TEXT, "Category"),
        Column("customers", Kind.COUNT, "Customers"),
        *_shown_figures(),
        Column("share", Kind.PERCENT, "Share"),
    )
    rows = [
        (
            each.name,
            each.customers,
            *(each.figures[column.name] for column in columns[2:-1]),
            summary.share(each),
        )
        for each in summary.categories
    ]
    return Table("Categories", columns, rows)


def _basis(summary: SummaryAnswer) -> list[tuple[str, str]]:
    basis = summary.query.options.basis
    return [("basis", basis.value)] if basis is Basis.CASH else []


def _customer(row: Sequence[Value]) -> str:
    return str(row[0])


def _figure(field: str) -> Link:
    return partial(_explained, field)


def _explained(field: str, row: Sequence[Value]) -> str:
    return f"{row[0]}/{field}"
