"""Requests that may be repeated: what they change is changed once, and their answer stays."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from services.api.http.appkeys import PRINCIPAL
from services.api.http.connections import connection
from services.api.idempotency import store
from services.api.idempotency.store import IdempotencyKey, Kept
from shared.db.postgres import Connection

REPLAYED = {"Idempotency-Replayed": "true"}


def key_of(request: web.Request) -> IdempotencyKey | None:
    """Return the caller's name for the request, None where it has none; Invalid."""
    return IdempotencyKey.parse(request.headers.getall("Idempotency-Key", []))


async def answer(
    request: web.Request, act: Callable[[Connection], Awaitable[Kept]], *asked: str
) -> web.Response:
    """Answer with what `act` returns, or with what it returned when the same was `asked` before."""
    key, business = key_of(request), request[PRINCIPAL].business_id
    async with connection(request) as conn:
        kept = await store.once(conn, business, key, store.fingerprint(*asked), lambda: act(conn))
    return web.Response(
        status=kept.status,
        text=kept.answer,
        content_type="application/json",
        headers=REPLAYED if kept.replayed else None,
    )
