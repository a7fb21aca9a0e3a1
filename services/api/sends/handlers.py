"""The calls about sends: accept, list, show, cancel, reschedule, resend; and mails in doubt."""

from uuid import UUID

from aiohttp import web

from services.api.core import fields
from services.api.core.paging import Page
from services.api.core.parsing import parse
from services.api.core.refusals import NotFound
from services.api.http import idempotency, query, request_body
from services.api.http.appkeys import CONTENT_LOCATION, PRINCIPAL, SETTINGS, TRACE
from services.api.http.connections import connection
from services.api.idempotency.store import StoredAnswer
from services.api.sends import changes, in_doubt, resends, store
from services.api.sends.accept import Accepted, accept
from services.api.sends.history import DoubtsQuery, HistoryQuery
from services.api.sends.request import (
    RescheduleBody,
    ResendBody,
    ResolveBody,
    SendBody,
    SendRequest,
)
from services.api.sends.send import Doubt, Send
from services.api.sends.terms import Terms
from shared.db.postgres import Connection

_HISTORY = (
    *("customer_id", "status", "recipient", "q", "created_from", "created_to"),
    *("limit", "cursor"),
)


async def send_transactions(request: web.Request) -> web.Response:
    """Accept a send, under each of its three published paths."""
    asked = SendRequest.of(
        fields.customer_id(request.match_info["id"]),
        fields.dates_or_word(*(query.once(request, name) for name in ("from", "to", "period"))),
        parse(SendBody, await request_body.fields(request)),
    )
    key = idempotency.key_of(request)
    business, terms = request[PRINCIPAL].business_id, Terms.of(request.app[SETTINGS])
    async with connection(request) as conn:
        accepted = await accept(conn, business, asked, terms, key, request[TRACE])
    if isinstance(asked.period, str):
        request[CONTENT_LOCATION] = _with_dates(request, accepted.send)
    return _accepted(accepted)


async def list_sends(request: web.Request) -> web.Response:
    """Answer with a page of the history."""
    asked = parse(HistoryQuery, _given(request, *_HISTORY))
    async with connection(request) as conn:
        return _json(await store.page(conn, request[PRINCIPAL].business_id, asked))


async def show_send(request: web.Request) -> web.Response:
    """Answer with the current state of a send."""
    send_id = _id(request, "send")
    async with connection(request) as conn:
        return _json(await store.one(conn, request[PRINCIPAL].business_id, send_id))


async def cancel_send(request: web.Request) -> web.Response:
    """Cancel the mails that have not gone out, and answer with the send."""
    send_id, business = _id(request, "send"), request[PRINCIPAL].business_id

    async def act(conn: Connection) -> StoredAnswer:
        return StoredAnswer(200, (await changes.cancel(conn, business, send_id)).to_json())

    return await idempotency.answer(request, act, "cancel", str(send_id))


async def reschedule_send(request: web.Request) -> web.Response:
    """Change the due time of the mails that wait, and answer with the send."""
    send_id = _id(request, "send")
    asked = parse(RescheduleBody, await request_body.fields(request))
    business, terms = request[PRINCIPAL].business_id, Terms.of(request.app[SETTINGS])

    async def act(conn: Connection) -> StoredAnswer:
        send = await changes.reschedule(conn, business, send_id, asked.send_at, terms)
        return StoredAnswer(200, send.to_json())

    return await idempotency.answer(
        request, act, "reschedule", str(send_id), asked.send_at.isoformat()
    )


async def resend_send(request: web.Request) -> web.Response:
    """Accept a send of the same statement to all or some of the same recipients."""
    send_id = _id(request, "send")
    asked = parse(ResendBody, await request_body.fields(request))
    key = idempotency.key_of(request)
    business, terms = request[PRINCIPAL].business_id, Terms.of(request.app[SETTINGS])
    async with connection(request) as conn:
        return _accepted(
            await resends.resend(
                conn, business, send_id, asked.recipients, terms, key, request[TRACE]
            )
        )


async def list_doubts(request: web.Request) -> web.Response:
    """Answer with a page of the mails in doubt."""
    asked = parse(DoubtsQuery, _given(request, "limit", "cursor"))
    business = request[PRINCIPAL].business_id
    async with connection(request) as conn:
        return _json(await in_doubt.page(conn, business, asked.cursor, asked.limit))


async def resolve_doubt(request: web.Request) -> web.Response:
    """Resolve a mail in doubt as a person decided, and answer with its send."""
    delivery_id = _id(request, "delivery")
    asked = parse(ResolveBody, await request_body.fields(request))
    business = request[PRINCIPAL].business_id

    async def act(conn: Connection) -> StoredAnswer:
        send_id = await in_doubt.resolve(conn, business, delivery_id, asked.resolution)
        return StoredAnswer(200, (await store.one(conn, business, send_id)).to_json())

    return await idempotency.answer(request, act, "resolve", str(delivery_id), asked.resolution)


def _given(request: web.Request, *fields: str) -> dict[str, str]:
    return {field: query.once(request, field) for field in fields if field in request.query}


def _id(request: web.Request, noun: str) -> UUID:
    try:
        return UUID(request.match_info["id"])
    except ValueError:
        raise NotFound(noun) from None


def _with_dates(request: web.Request, send: Send) -> str:
    """Return the path and query of the request, with the days of its send instead of a word."""
    url = request.rel_url.without_query_params("period")
    return str(url.extend_query({"from": str(send.start), "to": str(send.end)}))


def _accepted(accepted: Accepted) -> web.Response:
    headers = {"Location": f"/api/v3/sends/{accepted.send_id}"}
    if accepted.replayed:
        headers |= idempotency.REPLAYED
    return web.Response(
        status=202, text=accepted.answer, content_type="application/json", headers=headers
    )


def _json(answer: Send | Page[Send] | Page[Doubt]) -> web.Response:
    return web.Response(text=answer.to_json(), content_type="application/json")
