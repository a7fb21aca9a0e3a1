"""The call that shows what was billed and paid over time."""

from collections.abc import Sequence
from typing import Final

from aiohttp import web

from services.api.core.query_string import parse_query
from services.api.formats.answer import answer
from services.api.formats.negotiation import Format, chosen
from services.api.formats.page.navigation import Customer
from services.api.http.appkeys import PRINCIPAL
from services.api.http.connections import connection
from services.api.http.periods import requested_period
from services.api.reports.series import store
from services.api.reports.series.intervals import Span, spans
from services.api.reports.series.store import SeriesQuery, Sums
from services.api.views import answers, customers, remembered
from services.api.views.series.model import SeriesOptions
from services.api.views.series.navigation import navigation
from services.api.views.series.report import SeriesAnswer
from services.api.views.snapshot import State

FORMATS: Final = (Format.JSON, Format.CSV, Format.XLSX, Format.HTML)

_SUMS_BYTES = 500  # of memory that the sums of an interval take, about


async def show(request: web.Request) -> web.StreamResponse:
    """Answer with the sums of each interval, their totals and their means."""
    period = await requested_period(request)
    options = parse_query(SeriesOptions, request.query.items())
    form = chosen(request, FORMATS)
    query = SeriesQuery(
        request[PRINCIPAL].business_id, options.id, period, options.interval, options.basis
    )
    intervals = spans(period, query.interval)
    if (same := await answers.not_modified(request, form)) is not None:
        return same
    sums, at = await remembered_sums(request, query, intervals)
    series = SeriesAnswer.at(query, intervals, sums, at)
    if form is Format.JSON:
        return answers.json(request, at, series.members(options.amounts))
    if form is Format.HTML:
        around = navigation(request, series, await _customer(request, query))
        return await answer(request, series.report(), form, navigation=around)
    tags = answers.tags(request, at, form)
    return await answer(request, series.report(), form, tags=tags)


async def remembered_sums(
    request: web.Request, query: SeriesQuery, intervals: Sequence[Span]
) -> tuple[list[Sums], State]:
    """Return the sums of each of these intervals, and the state of the ledger that they show."""
    return await remembered.read(
        request,
        f"series {query}",
        list,
        lambda at: store.sums(at.conn, query, intervals),
        lambda sums: _SUMS_BYTES * len(sums),
        of_one=query.customer_id is not None,
    )


async def _customer(request: web.Request, query: SeriesQuery) -> Customer | None:
    """Return the customer as a page names it; None if the series is about all customers."""
    if query.customer_id is None:
        return None
    async with connection(request) as conn:
        return await customers.customer(conn, query.business_id, query.customer_id)
