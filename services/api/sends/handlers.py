"""The calls about sends: accept, list, show, cancel, reschedule, resend; and mails in doubt."""

from aiohttp import web

from services.api.core import fields
from services.api.core.paging import Page
from services.api.core.parsing import parse
from services.api.http import idempotency, query, request_body
from services.api.http.appkeys import PRINCIPAL, SETTINGS, TRACE
from services.api.http.connections import connection
from services.api.http.content_location import tell_dates
from services.api.http.path import path_id
from services.api.idempotency.store import StoredAnswer
from services.api.sends import changes, in_doubt, resends, store
from services.api.sends.accept import Accepted, accept
from services.api.sends.dry_run import dry_run
from services.api.sends.history import DoubtsQuery, HistoryQuery
from services.api.sends.request import (
    RescheduleBody,
    ResendBody,
    ResolveBody,
    SendBody,
    SendOptions,
    SendRequest,
)
from services.api.sends.send import Doubt, Send
from services.api.sends.terms import Terms
from shared.db.postgres import Connection

_HISTORY = (
    *("customer_id", "status", "recipient", "q", "batch_id", "schedule_id"),
    *("created_from", "created_to", "limit", "cursor"),
)


async def send_transactions(request: web.Request) -> web.Response:
    """Accept a send, or show what it would be, under each of its three published paths."""
    options = parse(SendOptions, query.given(request, "dry_run"))
    asked = SendRequest.of(
        fields.customer_id(request.match_info["id"]),
        fields.dates_or_word(*(query.once(request, name) for name in ("from", "to", "period"))),
        parse(SendBody, await request_body.fields(request)),
    )
    business, terms = request[PRINCIPAL].business_id, Terms.of(request.app[SETTINGS])
    if options.dry_run:
        async with connection(request) as conn:
            planned = await dry_run(conn, business, asked, terms)
        tell_dates(request, asked.period, planned.start, planned.end)
        return _json(planned)
    key = idempotency.key_of(request)
    async with connection(request) as conn:
        accepted = await accept(conn, business, asked, terms, key, request[TRACE])
    tell_dates(request, asked.period, accepted.send.start, accepted.send.end)
    return _accepted(accepted)


async def list_sends(request: web.Request) -> web.Response:
    """Answer with a page of the history."""
    asked = parse(HistoryQuery, query.given(request, *_HISTORY))
    async with connection(request) as conn:
        return _json(await store.page(conn, request[PRINCIPAL].business_id, asked))


async def show_send(request: web.Request) -> web.Response:
    """Answer with the current state of a send."""
    send_id = path_id(request, "send")
    async with connection(request) as conn:
        return _json(await store.one(conn, request[PRINCIPAL].business_id, send_id))


async def cancel_send(request: web.Request) -> web.Response:
    """Cancel the mails that have not gone out, and answer with the send."""
    send_id, business = path_id(request, "send"), request[PRINCIPAL].business_id

    async def act(conn: Connection) -> StoredAnswer:
        return StoredAnswer(200, (await changes.cancel(conn, business, send_id)).to_json())

    return await idempotency.answer(request, act, "cancel", str(send_id))


async def reschedule_send(request: web.Request) -> web.Response:
    """Change the due time of the mails that wait, and answer with the send."""
    send_id = path_id(request, "send")
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
    send_id = path_id(request, "send")
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
    asked = parse(DoubtsQuery, query.given(request, "limit", "cursor"))
    business = request[PRINCIPAL].business_id
    async with connection(request) as conn:
        return _json(await in_doubt.page(conn, business, asked.cursor, asked.limit))


async def resolve_doubt(request: web.Request) -> web.Response:
    """Resolve a mail in doubt as a person decided, and answer with its send."""
    delivery_id = path_id(request, "delivery")
    asked = parse(ResolveBody, await request_body.fields(request))
    business = request[PRINCIPAL].business_id

    async def act(conn: Connection) -> StoredAnswer:
        send_id = await in_doubt.resolve(conn, business, delivery_id, asked.resolution)
        return StoredAnswer(200, (await store.one(conn, business, send_id)).to_json())

    return await idempotency.answer(request, act, "resolve", str(delivery_id), asked.resolution)


def _accepted(accepted: Accepted) -> web.Response:
    headers = {"Location": f"/api/v3/sends/{accepted.send_id}"}
    if accepted.replayed:
        headers |= idempotency.REPLAYED
    return web.Response(
        status=202, text=accepted.answer, content_type="application/json", headers=headers
    )


def _json(answer: Send | Page[Send] | Page[Doubt]) -> web.Response:
    return web.Response(text=answer.to_json(), content_type="application/json")
