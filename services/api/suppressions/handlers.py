"""The calls about a business's suppression list."""

from aiohttp import web

from services.api.core.parsing import parse
from services.api.http import idempotency, query, request_body
from services.api.http.appkeys import PRINCIPAL
from services.api.http.connections import connection
from services.api.idempotency.store import StoredAnswer
from services.api.suppressions import store
from services.api.suppressions.model import LiftOptions, SuppressionBody, SuppressionsQuery
from shared.db.postgres import Connection


async def show_list(request: web.Request) -> web.Response:
    """Answer with a page of the list."""
    asked = parse(SuppressionsQuery, query.given(request, "limit", "cursor"))
    async with connection(request) as conn:
        page = await store.page(conn, request[PRINCIPAL].business_id, asked)
    return web.Response(text=page.to_json(), content_type="application/json")


async def show_lifted(request: web.Request) -> web.Response:
    """Answer with a page of the suppressions that were lifted."""
    asked = parse(SuppressionsQuery, query.given(request, "limit", "cursor"))
    async with connection(request) as conn:
        page = await store.lifted(conn, request[PRINCIPAL].business_id, asked)
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
    """Remove an address from the list, and keep who did it and why."""
    options, principal = parse(LiftOptions, query.given(request, "why")), request[PRINCIPAL]
    async with connection(request) as conn:
        await store.lift(
            conn,
            principal.business_id,
            request.match_info["email"],
            f"key {principal.key_id}",
            options.why,
        )
    return web.Response(status=204)
