"""The calls about batches: send to many, list, show, cancel; a batch's sends and who is skipped."""

import orjson
from aiohttp import hdrs, web

from services.api.batches import cancel, dry_run_handler, frozen_lists, store
from services.api.batches.accept import accept
from services.api.batches.history import BatchesQuery, CustomersQuery, SkippedQuery
from services.api.batches.request import BatchBody, BatchOptions, BatchRequest
from services.api.core import fields
from services.api.core.parsing import parse
from services.api.http import idempotency, query, request_body
from services.api.http.appkeys import PRINCIPAL, SETTINGS, TRACE
from services.api.http.connections import connection
from services.api.http.content_location import tell_dates
from services.api.http.path import path_id
from services.api.idempotency.store import StoredAnswer
from services.api.sends import store as sends
from services.api.sends.history import HistoryQuery
from services.api.sends.terms import Terms
from shared.db.postgres import Connection

_HISTORY = ("status", "schedule_id", "created_from", "created_to", "limit", "cursor")


async def send_to_customers(request: web.Request) -> web.StreamResponse:
    """Accept a batch, or show what it would be."""
    options = parse(BatchOptions, query.given(request, "dry_run"))
    asked = BatchRequest.of(
        fields.dates_or_word(*(query.once(request, name) for name in ("from", "to", "period"))),
        parse(BatchBody, await request_body.fields(request)),
    )
    if options.dry_run:
        return await dry_run_handler.show(request, asked)
    business, terms = request[PRINCIPAL].business_id, Terms.of(request.app[SETTINGS])

    async def act(conn: Connection) -> StoredAnswer:
        batch = await accept(conn, business, asked, terms, request[TRACE])
        return StoredAnswer(202, batch.to_json())

    response = await idempotency.answer(request, act, "batch", asked.fingerprint.hex())
    made = orjson.loads(response.text or "")
    response.headers[hdrs.LOCATION] = made["links"]["self"]
    tell_dates(request, asked.period, made["from"], made["to"])
    return response


async def list_batches(request: web.Request) -> web.Response:
    """Answer with a page of the history of batches."""
    asked = parse(BatchesQuery, query.given(request, *_HISTORY))
    async with connection(request) as conn:
        page = await store.page(conn, request[PRINCIPAL].business_id, asked)
    return _json(page.to_json())


async def show_batch(request: web.Request) -> web.Response:
    """Answer with the current state of a batch."""
    batch_id = path_id(request, "batch")
    async with connection(request) as conn:
        batch = await store.one(conn, request[PRINCIPAL].business_id, batch_id)
    return _json(batch.to_json())


async def list_sends(request: web.Request) -> web.Response:
    """Answer with a page of the sends that a batch has become."""
    batch_id, business = path_id(request, "batch"), request[PRINCIPAL].business_id
    given = query.given(request, "status", "limit", "cursor")
    asked = parse(HistoryQuery, {**given, "batch_id": batch_id})
    async with connection(request) as conn:
        await store.check(conn, business, batch_id)
        page = await sends.page(conn, business, asked)
    return _json(page.to_json())


async def list_skipped(request: web.Request) -> web.Response:
    """Answer with a page of the customers that a batch skipped."""
    batch_id, business = path_id(request, "batch"), request[PRINCIPAL].business_id
    asked = parse(SkippedQuery, query.given(request, "reason_code", "limit", "cursor"))
    async with connection(request) as conn:
        await store.check(conn, business, batch_id)
        page = await store.skipped(conn, business, batch_id, asked)
    return _json(page.to_json())


async def list_frozen(request: web.Request) -> web.Response:
    """Answer with a page of the customers on a frozen list."""
    list_id = path_id(request, "frozen list")
    asked = parse(CustomersQuery, query.given(request, "limit", "cursor"))
    async with connection(request) as conn:
        page = await frozen_lists.page(conn, request[PRINCIPAL].business_id, list_id, asked)
    return _json(page.to_json())


async def cancel_batch(request: web.Request) -> web.Response:
    """Cancel what has not been handed over, and answer with the batch."""
    batch_id, business = path_id(request, "batch"), request[PRINCIPAL].business_id

    async def act(conn: Connection) -> None:
        await cancel.cancel(conn, business, batch_id)

    async def result(conn: Connection) -> StoredAnswer:
        return StoredAnswer(200, (await store.one(conn, business, batch_id)).to_json())

    return await idempotency.answer_in_steps(request, act, result, "cancel batch", str(batch_id))


def _json(text: str) -> web.Response:
    return web.Response(text=text, content_type="application/json")
