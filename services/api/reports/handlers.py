"""The three report calls."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from http import HTTPStatus

from aiohttp import hdrs, web

from services.api.core import fields
from services.api.core.parsing import parse
from services.api.core.refusals import Busy, NotFound
from services.api.http import conditional, request_body
from services.api.http.appkeys import CODING, CONTENT_LOCATION, LEDGER_VERSION, PRINCIPAL, STREAMS
from services.api.http.connections import connection
from services.api.reports import store
from services.api.reports.buffer import Buffer
from services.api.reports.gzip import Gzip
from services.api.reports.model import FilterBody, ReportQuery
from services.api.reports.pace import Pace
from services.api.reports.periods import requested_period

_JSON = "application/json"
_STREAM_WAIT_S = 5.0  # seconds to wait until one of the running streams ends
_STREAM_S_MAX = 300.0  # seconds in which a reader has to read everything


async def show_all(request: web.Request) -> web.StreamResponse:
    """Stream the rows of all customers. A slow reader is cut off, because it holds a snapshot.

    The version is read before the rows. If the rows are newer than their tag, they are sent once
    more later; a tag that is newer than its rows would hide them from the caller.
    """
    query = await _query(request)
    tags = conditional.entity_tags(await _state(request, query))
    if had := conditional.had_already(request, tags):
        return web.Response(status=HTTPStatus.NOT_MODIFIED, headers=conditional.headers(had))
    response = _streamed(request, tags)
    if request.method == hdrs.METH_HEAD:
        await response.prepare(request)
    else:
        await _write_rows(request, query, response)
    return response


async def show_one(request: web.Request) -> web.Response:
    """Answer with one customer's row."""
    row = await _row(request, await _query(request), _customer(request))
    return web.Response(text=row, content_type=_JSON)


async def filter_one(request: web.Request) -> web.Response:
    """Answer with an array of one customer's row."""
    query, customer = await _query(request), _customer(request)
    stated = parse(FilterBody, await request_body.fields(request))
    stated.check(customer, query.period)
    row = await _row(request, query, customer)
    return web.Response(text=f"[{row}]", content_type=_JSON)


def _streamed(request: web.Request, tags: tuple[str, str]) -> web.StreamResponse:
    plain, coded = tags
    gzip = request[CODING].gzip
    response = web.StreamResponse(headers=conditional.headers(coded if gzip else plain))
    response.content_type, response.charset = _JSON, "utf-8"
    if gzip:
        response.headers[hdrs.CONTENT_ENCODING] = "gzip"
    return response


async def _write_rows(
    request: web.Request, query: ReportQuery, response: web.StreamResponse
) -> None:
    async def write(piece: bytes) -> None:
        # Only once the first piece exists: until then, a failure can still be answered.
        if not response.prepared:
            await response.prepare(request)
        await pace.write(piece)

    pace = Pace(response.write)
    pieces = Gzip(write) if request[CODING].gzip else Buffer(write)
    async with _turn(request), connection(request) as conn:
        await store.income_by_customers(conn, query, pieces.write, timeout=_STREAM_S_MAX)
    await pieces.end()
    await response.write_eof()


async def _query(request: web.Request) -> ReportQuery:
    return ReportQuery(request[PRINCIPAL].business_id, await requested_period(request))


def _customer(request: web.Request) -> int:
    return fields.customer_id(request.match_info["id"])


async def _state(request: web.Request, query: ReportQuery) -> str:
    """Return a text that is another one once the answer to the same request is another one."""
    state = f"{query.business_id} {await _version(request)}"
    if CONTENT_LOCATION not in request:
        return state
    # A word means other days tomorrow.
    return f"{state} {query.period.start} {query.period.end}"


async def _version(request: web.Request) -> str:
    if LEDGER_VERSION in request:
        return request[LEDGER_VERSION]
    async with connection(request) as conn:
        return await store.version(conn, request[PRINCIPAL].business_id)


async def _row(request: web.Request, query: ReportQuery, customer: int) -> str:
    async with connection(request) as conn:
        row = await store.income_by_customer(conn, query, customer)
    if row is None:
        raise NotFound("customer")
    return row


@asynccontextmanager
async def _turn(request: web.Request) -> AsyncIterator[None]:
    # Fewer streams than connections, and fewer for one business than in all: slow readers delay
    # neither the lists of other businesses nor single rows.
    streams, business = request.app[STREAMS], request[PRINCIPAL].business_id
    try:
        async with asyncio.timeout(_STREAM_WAIT_S):
            await streams.take(business)
    except TimeoutError:
        raise Busy(
            "Too many reports are being read at the moment.", retry_after=timedelta(seconds=5)
        ) from None
    try:
        yield
    finally:
        streams.leave(business)
