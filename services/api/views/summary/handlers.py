"""The call that shows the income of a period at a glance."""

from collections.abc import Sequence
from typing import Final

import asyncpg
from aiohttp import web

from services.api.core.query_string import parse_query
from services.api.formats.answer import answer
from services.api.formats.negotiation import Format, chosen
from services.api.formats.page.navigation import Interval
from services.api.http.appkeys import PRINCIPAL
from services.api.http.periods import requested_period
from services.api.reports.compared import compared_period
from services.api.reports.listing.handlers import list_cache
from services.api.reports.model import ReportQuery
from services.api.reports.query import BOUNDED, EXACT, Counting
from services.api.reports.series import drawn
from services.api.views import answers, remembered
from services.api.views.series import handlers as series
from services.api.views.snapshot import Snapshot, State
from services.api.views.summary import store
from services.api.views.summary.model import SummaryOptions
from services.api.views.summary.navigation import navigation
from services.api.views.summary.parts import Parts
from services.api.views.summary.query import SummaryQuery
from services.api.views.summary.report import SummaryAnswer
from services.api.views.summary.store import Found

FORMATS: Final = (Format.JSON, Format.HTML)
_ANY_VERSION = ""  # parts know theirs themselves


async def show(request: web.Request) -> web.StreamResponse:
    """Answer with the totals, the largest customers and the categories."""
    period = await requested_period(request)
    options = parse_query(SummaryOptions, request.query.items())
    form = chosen(request, FORMATS)
    compared = compared_period(period, options.compare) if options.compare else None
    query = SummaryQuery(ReportQuery(request[PRINCIPAL].business_id, period), options, compared)
    if (same := await answers.not_modified(request, form)) is not None:
        return same
    summary = await _read(request, query)
    if form is Format.JSON:
        return answers.json(request, summary.state, summary.members())
    around = navigation(request, summary, await _intervals(request, query))
    return await answer(request, summary.report(), form, navigation=around)


async def _read(request: web.Request, query: SummaryQuery) -> SummaryAnswer:
    async def found(counting: Counting) -> tuple[Found, State]:
        return await remembered.read(
            request,
            str(query),
            Found,
            lambda at: _found(request, at, query, counting),
            lambda found: found.size,
        )

    try:
        return SummaryAnswer.at(query, *await found(BOUNDED))
    except asyncpg.NumericValueOutOfRangeError:
        # Amounts out of bounds are rare; then everything is counted once more, exactly.
        return SummaryAnswer.at(query, *await found(EXACT))


async def _found(
    request: web.Request, at: Snapshot, query: SummaryQuery, counting: Counting
) -> Found:
    """Return what is shown at this version. Only what changed is read if an earlier one is known.

    Amounts out of bounds may not fit into the parts that are kept.
    """
    cache, key = list_cache(request), f"parts {query}"
    known = cache.get(key, _ANY_VERSION) if counting is BOUNDED else None
    made = None
    if isinstance(known, Parts):
        made = await store.parts_since(at.conn, query, counting, at.version, known)
    if made is None:
        made = await store.parts(at.conn, query, counting, at.version)
    if counting is BOUNDED:
        cache.put(key, _ANY_VERSION, made, len(key) + made.size)
    return store.found(made, query)


async def _intervals(request: web.Request, query: SummaryQuery) -> Sequence[Interval]:
    """Return what is drawn beside a summary, unless filters choose some of the customers."""
    if query.options.given():
        return ()
    asked, spans = drawn.asked(query.report, query.options.basis)
    if not spans:
        return ()
    sums, _ = await series.remembered_sums(request, asked, spans)
    return drawn.intervals(spans, sums)
