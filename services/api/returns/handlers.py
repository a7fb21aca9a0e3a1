"""The calls about returned mail: post one, list them, show one."""

from aiohttp import hdrs, web

from services.api.core.paging import Page
from services.api.core.parsing import parse
from services.api.core.refusals import Malformed, NotFound
from services.api.http import query, request_body
from services.api.http.appkeys import PRINCIPAL, RETURN_METRICS, RETURN_PATHS
from services.api.http.connections import connection
from services.api.http.path import path_id
from services.api.returns import reprocess as reprocessing
from services.api.returns import store
from services.api.returns.model import (
    ExplainedReturn,
    ReprocessOptions,
    ReturnOptions,
    ReturnsQuery,
)
from services.api.returns.reprocess import Asked
from services.api.returns.why import explained
from shared.returns.parts import BYTES_MAX

MAIL = "message/rfc822"
_OFF = "This server takes in no returned mail: its operator has set no RETURN_SECRET."
_FILTERS = ("kind", "scope", "delivery_id", "unmatched", "received_from", "received_to")


async def add(request: web.Request) -> web.Response:
    """Take a returned mail in: 201 with the return, or 200 with the first one if it is a copy."""
    options = parse(ReturnOptions, query.given(request, "recipient"))
    paths = request.app[RETURN_PATHS]
    if paths is None:
        raise NotFound("call", said=_OFF)
    raw = await request_body.octets(request, (MAIL,), BYTES_MAX)
    if not raw:
        raise Malformed("The body is missing: it should be a returned mail.")
    async with connection(request) as conn:
        stored, is_copy = await store.take(
            conn, request[PRINCIPAL].business_id, raw, options.recipient, paths
        )
    if not is_copy:
        is_matched = stored.delivery_id is not None
        request.app[RETURN_METRICS].took(stored.kind, stored.scope, is_matched=is_matched)
    response = _json(stored.model_dump_json(), 200 if is_copy else 201)
    response.headers[hdrs.LOCATION] = f"/api/v3/returns/{stored.id}"
    return response


async def show_list(request: web.Request) -> web.Response:
    """Answer with a page of the returned mails, each with why it was understood so."""
    asked = parse(ReturnsQuery, query.given(request, *_FILTERS, "limit", "cursor"))
    async with connection(request) as conn:
        page = await store.page(conn, request[PRINCIPAL].business_id, asked)
    shown: Page[ExplainedReturn] = Page(
        data=tuple(map(explained, page.data)), next_cursor=page.next_cursor
    )
    return _json(shown.to_json())


async def show(request: web.Request) -> web.Response:
    """Answer with a returned mail, and why it was understood so."""
    return_id = path_id(request, "returned mail")
    async with connection(request) as conn:
        found = await store.one(conn, request[PRINCIPAL].business_id, return_id)
    return _json(explained(found).model_dump_json())


async def reprocess(request: web.Request) -> web.Response:
    """Have a returned mail understood again; answer with it as it is now."""
    return_id, principal = path_id(request, "returned mail"), request[PRINCIPAL]
    options = parse(ReprocessOptions, query.given(request, "why"))
    asked = Asked(
        f"key {principal.key_id}",
        options.why or None,
        principal.business_id,
        request.app[RETURN_PATHS],
    )
    async with connection(request) as conn:
        await reprocessing.reprocess(conn, return_id, asked)
        found = await store.one(conn, principal.business_id, return_id)
    return _json(explained(found).model_dump_json())


def _json(text: str, status: int = 200) -> web.Response:
    return web.Response(text=text, status=status, content_type="application/json")
