"""The three report calls."""

from http import HTTPStatus

from aiohttp import web

from services.api.core import fields
from services.api.core.parsing import parse
from services.api.core.refusals import NotFound
from services.api.formats.negotiation import Format, chosen
from services.api.http import conditional, request_body
from services.api.http.appkeys import CODING, CONTENT_LOCATION, PRINCIPAL
from services.api.http.connections import connection
from services.api.http.periods import requested_business, requested_period
from services.api.http.streams import stream
from services.api.reports import customer_page, store
from services.api.reports.listing import handlers as listing
from services.api.reports.model import FilterBody, ReportQuery
from services.api.reports.streamed import Write, streamed
from services.api.reports.versions import ledger_version
from shared.db.postgres import Connection

_JSON = "application/json"
ONE_OFFERED = (Format.JSON, Format.HTML)


async def show_all(request: web.Request) -> web.StreamResponse:
    """Answer with the rows of all customers, or as the parameters and Accept say."""
    form = chosen(request, listing.OFFERED)
    if form is Format.JSON and not request.query_string:
        return await _show_bare(request)
    return await listing.show(request, form)


async def show_one(request: web.Request) -> web.StreamResponse:
    """Answer with one customer's row."""
    form = chosen(request, ONE_OFFERED)
    query = await _query(request)
    row = await _row(request, query, _customer(request))
    if form is Format.JSON:
        return web.Response(text=row, content_type=_JSON)
    business, version = await requested_business(request), await ledger_version(request)
    return await customer_page.show(request, row, business, query.period, version)


async def filter_one(request: web.Request) -> web.Response:
    """Answer with an array of one customer's row."""
    query, customer = await _query(request), _customer(request)
    stated = parse(FilterBody, await request_body.fields(request))
    stated.check(customer, query.period)
    row = await _row(request, query, customer)
    return web.Response(text=f"[{row}]", content_type=_JSON)


async def _show_bare(request: web.Request) -> web.StreamResponse:
    """Stream the rows of all customers as JSON.

    The version is read before the rows. If the rows are newer than their tag, they are sent once
    more later; a tag that is newer than its rows would hide them from the caller.
    """
    query = await _query(request)
    tags = conditional.entity_tags(await _state(request, query))
    if had := conditional.had_already(request, tags):
        return web.Response(status=HTTPStatus.NOT_MODIFIED, headers=conditional.headers(had))

    async def read(conn: Connection, write: Write) -> None:
        await store.income_by_customers(conn, query, write, timeout=stream.READING_S_MAX)

    return await streamed(request, _JSON, conditional.headers(tags[request[CODING].gzip]), read)


async def _query(request: web.Request) -> ReportQuery:
    return ReportQuery(request[PRINCIPAL].business_id, await requested_period(request))


def _customer(request: web.Request) -> int:
    return fields.customer_id(request.match_info["id"])


async def _state(request: web.Request, query: ReportQuery) -> str:
    """Return a text that is another one once the answer to the same request is another one."""
    state = f"{query.business_id} {await ledger_version(request)}"
    if CONTENT_LOCATION not in request:
        return state
    # A word means other days tomorrow.
    return f"{state} {query.period.start} {query.period.end}"


async def _row(request: web.Request, query: ReportQuery, customer: int) -> str:
    async with connection(request) as conn:
        row = await store.income_by_customer(conn, query, customer)
    if row is None:
        raise NotFound("customer")
    return row
