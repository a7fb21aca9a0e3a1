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
    Query,
    Table,
    View,
)
from services.api.formats.report import Column, Kind, Value
from services.api.views.summary.model import COMPARED, FIGURES
from services.api.views.summary.report import SummaryAnswer
from shared.period import Period
from shared.statements.wording import short_day

_SHOWN = ("amount_due", "total_paid", "owing", "balance", "invoice_count", "average_payment_terms")


def navigation(
    request: web.Request, summary: SummaryAnswer, intervals: Sequence[Interval]
) -> Navigation:
    """Return where the page of a summary leads, and what it shows beside the largest customers."""
    by = summary.query.options.by
    shown = tuple(dict.fromkeys([by.value, *_SHOWN]))
    query = urls.kept(list(request.query.items()), View.LIST)
    return requested.navigation(
        request,
        View.SUMMARY,
        (Format.JSON,),
        columns=("business_name", *shown, f"change.{by}", "share"),
        base=urls.short_links(summary.query.report.period),
        links={"business_name": _customer, **{name: _figure(name) for name in shown}},
        facts=_facts(summary, query),
        bars_title=f"Largest customers: {_title(by).lower()}",
        bars=_bars(summary),
        intervals=intervals,
        tables=(*_compared(summary), _categories(summary, query)),
    )


def _shown_figures() -> Sequence[Column]:
    """Return the figures of the page, in its order."""
    shown = [each for each in FIGURES if each.name in _SHOWN]
    return sorted(shown, key=lambda each: _SHOWN.index(each.name))


def _title(name: str) -> str:
    return next(each.title for each in FIGURES if each.name == name)


def _facts(summary: SummaryAnswer, query: Query) -> Sequence[Fact]:
    """Return the totals, each with the list of the customers that make it up."""
    totals = summary.found.all
    path = urls.view_path(View.LIST, summary.query.report.period)
    facts = [
        Fact(
            each.name,
            each.kind,
            each.title,
            totals.figures[each.name],
            urls.with_query(path, query, sort=f"-{each.name}"),
        )
        for each in _shown_figures()
    ]
    active = urls.with_query(path, query, active="1")
    counts = (
        Fact("customers", Kind.COUNT, "Customers", totals.customers, urls.with_query(path, query)),
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


def _compared(summary: SummaryAnswer) -> Sequence[Table]:
    """Return the totals beside those of the other period, if there is one."""
    totals, before = summary.found.all, summary.query.compared
    if before is None or totals.previous is None or totals.change is None:
        return ()
    rows = [
        (_days(summary.query.report.period), totals.figures),
        (_days(before), totals.previous),
        ("Change", totals.change),
    ]
    columns = (Column("of", Kind.TEXT, "Period"), *COMPARED)
    shown = [(name, *(figures[each.name] for each in COMPARED)) for name, figures in rows]
    return (Table("Compared", columns, shown),)


def _days(period: Period) -> str:
    return f"{short_day(period.start)} to {short_day(period.end)}"


def _categories(summary: SummaryAnswer, query: Query) -> Table:
    """Return the categories, each figure with the list of the customers that make it up."""
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
            each.id,  # for the links, in no column
        )
        for each in summary.categories
    ]
    path = urls.view_path(View.LIST, summary.query.report.period)
    sorts = {each.name: f"-{each.name}" for each in _shown_figures()}
    links: dict[str, Link] = {
        name: partial(_of_category, path, query, sorts.get(name))
        for name in ("category", "customers", *sorts)
    }
    return Table("Categories", columns, rows, links=links)


def _of_category(path: str, query: Query, sort: str | None, row: Sequence[Value]) -> str:
    return urls.with_query(path, query, category_id=str(row[-1]), sort=sort)


def _customer(row: Sequence[Value]) -> str:
    return str(row[0])


def _figure(field: str) -> Link:
    return partial(_explained, field)


def _explained(field: str, row: Sequence[Value]) -> str:
    return f"{row[0]}/{field}"
