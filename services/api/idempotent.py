"""Requests that may be repeated: what they change is changed once, and their answer stays."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from services.api.appkeys import PRINCIPAL
from services.api.lending import connection
from services.api.sends import idempotency
from services.api.sends.idempotency import IdempotencyKey, Kept
from shared.postgres import Connection

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
        kept = await idempotency.once(
            conn, business, key, idempotency.fingerprint(*asked), lambda: act(conn)
        )
    return web.Response(
        status=kept.status,
        text=kept.answer,
        content_type="application/json",
        headers=REPLAYED if kept.replayed else None,
    )
