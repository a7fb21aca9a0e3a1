"""A report as a page for people: a table with its totals, and links behind every figure."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from services.api.formats.page import charts, urls
from services.api.formats.page.definition import terms
from services.api.formats.page.derived import largest, title_of_largest, totals
from services.api.formats.page.figures import NUMBERS, text
from services.api.formats.page.filters import filters
from services.api.formats.page.heads import HEADS, headings, keys, pages, period_box, tabs
from services.api.formats.page.names import with_names
from services.api.formats.page.navigation import Navigation, Table, View, shown
from services.api.formats.page.table import Rows, grid
from services.api.formats.page.templates import template
from services.api.formats.report import Kind, Report
from shared.statements.wording import day, initial, line, period, short_day

_CAPTIONS = {View.SUMMARY: "Largest customers", View.EXPLAIN: "What it is made of"}
_DOWNLOADS = {"csv": "CSV", "xlsx": "Excel", "pdf": "PDF", "json": "JSON", "ndjson": "NDJSON"}


async def html(report: Report, navigation: Navigation) -> str:
    """Return the page of `report`, whose rows should be few: a page of a list."""
    rows = with_names(report.columns, [row async for batch in report.rows() for row in batch])
    return template("report.html").render(_context(report, navigation, rows))


def _context(report: Report, navigation: Navigation, rows: Rows) -> Mapping[str, Any]:
    business, currency = line(report.business.name), report.business.currency
    here = urls.with_query(navigation.path, navigation.query)
    today = report.business.today(datetime.now(UTC))
    return {
        "title": navigation.title or report.title,
        "days": _days(report, navigation),
        "business": business,
        "initial": initial(business),
        "currency": currency,
        "customer": navigation.customer and line(navigation.customer.name),
        "path": navigation.path,
        "here": here,
        "base": navigation.base,
        "signed_in": navigation.signed_in,
        "tabs": tabs(report, navigation),
        **period_box(report, navigation),
        "filters": filters(report, navigation),
        "tiles": [
            {
                "name": fact.name,
                "title": HEADS.get(fact.name, fact.title),
                "text": text(fact.value, fact.kind, currency),
                "is_number": fact.kind in NUMBERS,
                "link": fact.link,
            }
            for fact in navigation.facts or totals(report, navigation)
        ],
        "bars_title": navigation.bars_title or title_of_largest(report, navigation),
        "stripes": [
            {
                "bar": stripe.bar,
                "label": text(stripe.bar.label, Kind.TEXT, currency),
                "width": stripe.width,
                "is_negative": stripe.is_negative,
                "text": text(stripe.bar.value, Kind.MONEY, currency),
            }
            for stripe in charts.stripes(navigation.bars or largest(report, navigation, rows))
        ],
        "chart": charts.timeline(navigation.intervals, currency, today)
        if navigation.intervals
        else None,
        "intervals": [
            {
                "days": charts.days_of(each),
                "billed": text(each.billed, Kind.MONEY, currency),
                "paid": text(each.paid, Kind.MONEY, currency),
            }
            for each in navigation.intervals
        ],
        "intervals_are_rows": navigation.view is View.SERIES,
        "details": [(title, line(text)) for title, text in navigation.details if text],
        "grids": [
            *([_main(report, navigation, rows)] if navigation.view is not View.CUSTOMER else []),
            *(_further(table, currency) for table in navigation.tables),
        ],
        "pages": pages(navigation, len(rows)),
        "code": navigation.code,
        "downloads": [
            {
                "title": _DOWNLOADS[each],
                "url": urls.with_query(
                    navigation.path, navigation.query, per_page=None, format=each
                ),
            }
            for each in _DOWNLOADS
            if each in navigation.formats
        ],
        "stamp": f"{business} · {_days(report, navigation)} · {currency}",
        "terms": terms(report),
        "keys": keys(navigation),
    }


def _days(report: Report, navigation: Navigation) -> str:
    if navigation.view is View.AGING:
        return f"As of {day(report.period.end)}"
    return period(report.period)


def _main(report: Report, navigation: Navigation, rows: Rows) -> Mapping[str, Any]:
    columns = shown(report, navigation)
    paging = navigation.paging
    table = grid(
        columns,
        rows,
        report.business.currency,
        headings=headings(navigation, [column for _, column in columns]),
        totals=report.totals,
        total_title=f"All {paging.total:,}" if paging and paging.total else "Total",
        links=navigation.links,
    )
    return {"title": _caption(report, navigation), "table": table, "is_empty": not rows}


def _further(table: Table, currency: str) -> Mapping[str, Any]:
    made = grid(
        list(enumerate(table.columns)),
        table.rows,
        currency,
        headings=headings(None, table.columns),
        totals=table.totals,
        links=table.links,
    )
    return {"title": table.title, "table": made, "is_empty": not table.rows}


def _caption(report: Report, navigation: Navigation) -> str:
    what = _CAPTIONS.get(navigation.view, navigation.view.value)
    return f"{what}, {_short_days(report, navigation)}"


def _short_days(report: Report, navigation: Navigation) -> str:
    if navigation.view is View.AGING:
        return f"as of {short_day(report.period.end)}"
    return f"{short_day(report.period.start)} to {short_day(report.period.end)}"
