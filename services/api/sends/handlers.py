"""The calls about sends: ask for one, list them, look at one, cancel one."""

from uuid import UUID

from aiohttp import web

from services.api import bodies
from services.api.appkeys import PRINCIPAL, SETTINGS, connection
from services.api.refusals import Invalid, NotFound
from services.api.reports.model import Period, customer_id
from services.api.sends import store
from services.api.sends.history import HistoryQuery
from services.api.sends.idempotency import IdempotencyKey
from services.api.sends.model import SendBody, SendRequest
from services.api.sends.store import Terms
from services.api.sends.view import Page, Send


async def send_transactions(request: web.Request) -> web.Response:
    """Accept a send, under each of its three published names."""
    asked = SendRequest.of(
        customer_id(request.match_info["id"]),
        Period.parse(_query(request, "from"), _query(request, "to")),
        bodies.parse(SendBody, await bodies.fields(request)),
    )
    key = IdempotencyKey.parse(request.headers.getall("Idempotency-Key", []))
    settings = request.app[SETTINGS]
    terms = Terms(settings.max_recipients, settings.max_lateness, settings.daily_quota)
    async with connection(request) as conn:
        accepted = await store.accept(conn, request[PRINCIPAL].business_id, asked, terms, key)
    headers = {"Location": f"/api/v3/sends/{accepted.send_id}"}
    if accepted.replayed:
        headers["Idempotency-Replayed"] = "true"
    return web.Response(
        status=202, text=accepted.answer, content_type="application/json", headers=headers
    )


async def list_sends(request: web.Request) -> web.Response:
    """Answer with a page of the history."""
    fields = ("customer_id", "status", "limit", "cursor")
    given = {field: _query(request, field) for field in fields if field in request.query}
    query = HistoryQuery.parse(given)
    async with connection(request) as conn:
        return _json(await store.page(conn, request[PRINCIPAL].business_id, query))


async def show_send(request: web.Request) -> web.Response:
    """Answer with a send as it stands."""
    send_id = _send_id(request)
    async with connection(request) as conn:
        return _json(await store.one(conn, request[PRINCIPAL].business_id, send_id))


async def cancel_send(request: web.Request) -> web.Response:
    """Cancel what has not gone out, and answer with the send."""
    send_id = _send_id(request)
    async with connection(request) as conn:
        return _json(await store.cancel(conn, request[PRINCIPAL].business_id, send_id))


def _query(request: web.Request, field: str) -> str:
    values = set(request.query.getall(field, []))
    if len(values) > 1:
        raise Invalid(field, "should be given once")
    return values.pop() if values else ""


def _send_id(request: web.Request) -> UUID:
    try:
        return UUID(request.match_info["id"])
    except ValueError:
        raise NotFound("send") from None


def _json(answer: Send | Page) -> web.Response:
    return web.Response(text=answer.to_json(), content_type="application/json")
