"""The call that shows what was billed and paid over time."""

from typing import Final

from aiohttp import web

from services.api.core.query_string import parse_query
from services.api.formats.answer import answer
from services.api.formats.negotiation import Format, chosen
from services.api.http.appkeys import PRINCIPAL
from services.api.reports.periods import requested_period
from services.api.views import answers, customers
from services.api.views.series import store
from services.api.views.series.intervals import spans
from services.api.views.series.model import SeriesOptions
from services.api.views.series.navigation import navigation
from services.api.views.series.report import SeriesAnswer
from services.api.views.series.store import SeriesQuery
from services.api.views.snapshot import snapshot

FORMATS: Final = (Format.JSON, Format.CSV, Format.HTML)


async def show(request: web.Request) -> web.StreamResponse:
    """Answer with the sums of each interval, their totals and their means."""
    period = await requested_period(request)
    options = parse_query(SeriesOptions, request.query.items())
    form = chosen(request, FORMATS)
    query = SeriesQuery(
        request[PRINCIPAL].business_id, options.id, period, options.interval, options.basis
    )
    intervals = spans(period, query.interval)
    if (same := answers.not_modified(request, form)) is not None:
        return same
    async with snapshot(request) as at:
        sums = await store.sums(at.conn, query, intervals)
        customer = None
        if form is Format.HTML and query.customer_id is not None:
            customer = await customers.customer(at.conn, query.business_id, query.customer_id)
    series = SeriesAnswer.at(query, intervals, sums, at)
    if form is Format.JSON:
        return answers.json(request, at.version, series.members(options.amounts))
    if form is Format.HTML:
        around = navigation(request, series, customer)
        return await answer(request, series.report(), form, navigation=around)
    tags = answers.tags(request, at.version, form)
    return await answer(request, series.report(), form, tags=tags)
