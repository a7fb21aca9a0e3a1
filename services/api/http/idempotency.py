"""Runs a request once, and answers its repetitions with the stored answer."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from services.api.http.appkeys import PRINCIPAL
from services.api.http.connections import connection
from services.api.idempotency import store
from services.api.idempotency.store import IdempotencyKey, Kept
from shared.db.postgres import Connection

REPLAYED = {"Idempotency-Replayed": "true"}


def key_of(request: web.Request) -> IdempotencyKey | None:
    """Return the request's Idempotency-Key, or None if it has none. Raises Invalid."""
    return IdempotencyKey.parse(request.headers.getall("Idempotency-Key", []))


async def answer(
    request: web.Request, act: Callable[[Connection], Awaitable[Kept]], *asked: str
) -> web.Response:
    """Answer with the result of `act`, or with the stored answer to an earlier same request."""
    key, business = key_of(request), request[PRINCIPAL].business_id
    async with connection(request) as conn:
        kept = await store.once(conn, business, key, store.fingerprint(*asked), lambda: act(conn))
    return web.Response(
        status=kept.status,
        text=kept.answer,
        content_type="application/json",
        headers=REPLAYED if kept.replayed else None,
    )
