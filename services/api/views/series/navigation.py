from collections.abc import Sequence
from datetime import date
from functools import partial

from aiohttp import web

from services.api.formats.page import requested, urls
from services.api.formats.page.navigation import Customer, Link, Navigation, Table, View
from services.api.formats.report import Column, Kind, Value
from services.api.reports.basis import Basis
from services.api.reports.series.drawn import intervals
from services.api.views.paging import DOWNLOADS
from services.api.views.series.model import FIGURES
from services.api.views.series.report import SeriesAnswer
from shared.period import Period


def navigation(request: web.Request, series: SeriesAnswer, customer: Customer | None) -> Navigation:
    """Return where the page of a series leads: each figure to the list or to its documents."""
    return requested.navigation(
        request,
        View.SERIES,
        DOWNLOADS,
        customer=customer,
        links={each.name: _link(series, each.name) for each in FIGURES},
        intervals=intervals(series.spans, series.sums),
        tables=_averages(series),
    )


def _averages(series: SeriesAnswer) -> Sequence[Table]:
    """Return the means of the whole intervals as a table, if there are any."""
    if series.average is None:
        return ()
    columns = (Column("of", Kind.TEXT, "Mean"), *FIGURES)
    row = ("Of each whole interval", *(series.average[each.name] for each in FIGURES))
    return (Table("Average", columns, [row]),)


def _link(series: SeriesAnswer, figure: str) -> Link:
    return partial(_url, series, figure)


def _url(series: SeriesAnswer, figure: str, row: Sequence[Value]) -> str | None:
    """Return the URL of what a figure of an interval is made of."""
    start, end = row[:2]
    if not isinstance(start, date) or not isinstance(end, date):
        return None
    asked = series.query
    period = Period(max(start, asked.period.start), min(end, asked.period.end))
    basis = Basis.CASH if figure == "received" else asked.basis
    name = "total_paid" if figure == "received" else figure
    query = [("basis", basis.value)] if basis is Basis.CASH else []
    if asked.customer_id is None:
        path = urls.view_path(View.LIST, period)
        return urls.with_query(path, [*query, ("sort", f"-{name}")])
    return urls.with_query(urls.explain_path(asked.customer_id, period, name), query)
