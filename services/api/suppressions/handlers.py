"""The calls about a business's suppression list."""

from aiohttp import web

from services.api.core.parsing import parse
from services.api.http import idempotency, request_body
from services.api.http.appkeys import PRINCIPAL
from services.api.http.connections import connection
from services.api.idempotency.store import StoredAnswer
from services.api.suppressions import store
from services.api.suppressions.model import SuppressionBody, SuppressionsQuery
from shared.db.postgres import Connection


async def show_list(request: web.Request) -> web.Response:
    """Answer with a page of the list."""
    fields = ("limit", "cursor")
    given = {field: request.query[field] for field in fields if field in request.query}
    query = parse(SuppressionsQuery, given)
    async with connection(request) as conn:
        page = await store.page(conn, request[PRINCIPAL].business_id, query)
    return web.Response(text=page.to_json(), content_type="application/json")


async def add(request: web.Request) -> web.Response:
    """Add an address to the list: 201 with the new entry, or 200 with the existing one."""
    body = parse(SuppressionBody, await request_body.fields(request))
    business = request[PRINCIPAL].business_id

    async def act(conn: Connection) -> StoredAnswer:
        listed, is_new = await store.add(conn, business, body)
        return StoredAnswer(201 if is_new else 200, listed.model_dump_json())

    return await idempotency.answer(request, act, "suppress", body.email.key, body.reason)


async def lift(request: web.Request) -> web.Response:
    """Remove an address from the list."""
    async with connection(request) as conn:
        await store.lift(conn, request[PRINCIPAL].business_id, request.match_info["email"])
    return web.Response(status=204)
