"""Requests that may be repeated: each makes its change once, and its answer is stored."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from services.api.http.appkeys import PRINCIPAL
from services.api.http.connections import connection
from services.api.idempotency import store
from services.api.idempotency.store import IdempotencyKey, StoredAnswer
from shared.db.postgres import Connection

REPLAYED = {"Idempotency-Replayed": "true"}


def key_of(request: web.Request) -> IdempotencyKey | None:
    """Return the request's Idempotency-Key, or None. Raises Invalid if the header is none."""
    return IdempotencyKey.parse(request.headers.getall("Idempotency-Key", []))


async def answer(
    request: web.Request, act: Callable[[Connection], Awaitable[StoredAnswer]], *asked: str
) -> web.Response:
    """Answer with the result of `act`, or with the one stored for an earlier equal request.

    `act` runs in the transaction that stores its answer.
    """
    key, business = key_of(request), request[PRINCIPAL].business_id
    async with connection(request) as conn:
        stored = await store.once(conn, business, key, store.fingerprint(*asked), act)
    return _response(stored)


async def answer_in_steps(
    request: web.Request,
    act: Callable[[Connection], Awaitable[None]],
    result: Callable[[Connection], Awaitable[StoredAnswer]],
    *asked: str,
) -> web.Response:
    """Like `answer`, for an act of several transactions, which may be done twice without harm.

    Requests with one key may all do it if they come at the same time; they get one answer, the
    `result` of the first.
    """
    key, business = key_of(request), request[PRINCIPAL].business_id
    fingerprint = store.fingerprint(*asked)
    async with connection(request) as conn:
        stored = await store.earlier(conn, business, key, fingerprint)
        if stored is None:
            await act(conn)
            stored = await store.once(conn, business, key, fingerprint, result)
    return _response(stored)


def _response(stored: StoredAnswer) -> web.Response:
    return web.Response(
        status=stored.status,
        text=stored.answer,
        content_type="application/json",
        headers=REPLAYED if stored.replayed else None,
    )
