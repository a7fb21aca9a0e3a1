"""The calls about schedules."""

from collections.abc import Awaitable, Callable
from uuid import UUID

import orjson
from aiohttp import hdrs, web

from services.api.core.parsing import parse
from services.api.http import idempotency, query, request_body
from services.api.http.appkeys import PRINCIPAL, SETTINGS, TRACE
from services.api.http.connections import connection
from services.api.http.path import path_id
from services.api.idempotency.store import StoredAnswer
from services.api.schedules import changes, interruptions, store, upcoming
from services.api.schedules.body import ScheduleBody, SkipBody
from services.api.schedules.making import run
from services.api.schedules.model import Schedule
from services.api.schedules.store import SchedulesQuery
from services.api.schedules.upcoming import UpcomingQuery
from services.api.sends.terms import Terms
from shared.db.postgres import Connection


async def show_list(request: web.Request) -> web.Response:
    """Answer with a page of the business's schedules."""
    asked = parse(SchedulesQuery, query.given(request, "limit", "cursor"))
    async with connection(request) as conn:
        page = await store.page(conn, request[PRINCIPAL].business_id, asked)
    return _json(page.to_json())


async def create(request: web.Request) -> web.Response:
    """Store a schedule: 201 with it."""
    given = await request_body.fields(request)
    body, trace = parse(ScheduleBody, given), request[TRACE]
    business, terms = request[PRINCIPAL].business_id, Terms.of(request.app[SETTINGS])

    async def act(conn: Connection) -> StoredAnswer:
        made = await changes.create(conn, business, body, terms, trace)
        return StoredAnswer(201, made.to_json())

    asked = orjson.dumps(given, option=orjson.OPT_SORT_KEYS).decode()
    answer = await idempotency.answer(request, act, "schedule", asked)
    answer.headers[hdrs.LOCATION] = f"/api/v3/schedules/{_id_in(answer)}"
    return answer


async def show(request: web.Request) -> web.Response:
    """Answer with a schedule."""
    schedule_id = path_id(request, "schedule")
    async with connection(request) as conn:
        found = await store.one(conn, request[PRINCIPAL].business_id, schedule_id)
    return _json(store.shown(found).to_json())


async def change(request: web.Request) -> web.Response:
    """Merge the body into a schedule, and answer with the schedule."""
    schedule_id, given = path_id(request, "schedule"), await request_body.fields(request)
    business, terms = request[PRINCIPAL].business_id, Terms.of(request.app[SETTINGS])
    async with connection(request) as conn:
        found = await changes.change(conn, business, schedule_id, given, terms)
    return _json(found.to_json())


async def delete(request: web.Request) -> web.Response:
    """Delete a schedule."""
    schedule_id = path_id(request, "schedule")
    async with connection(request) as conn:
        await changes.delete(conn, request[PRINCIPAL].business_id, schedule_id)
    return web.Response(status=204)


async def show_upcoming(request: web.Request) -> web.Response:
    """Answer with the next occurrences of a schedule."""
    schedule_id = path_id(request, "schedule")
    asked = parse(UpcomingQuery, query.given(request, "count"))
    terms = Terms.of(request.app[SETTINGS])
    async with connection(request) as conn:
        found = await upcoming.upcoming(
            conn, request[PRINCIPAL].business_id, schedule_id, asked.count, terms
        )
    return _json(found.model_dump_json(by_alias=True))


async def pause(request: web.Request) -> web.Response:
    """Pause a schedule, and answer with the schedule."""
    return await _interrupt(request, interruptions.pause, "pause")


async def resume(request: web.Request) -> web.Response:
    """End the pause of a schedule, and answer with the schedule."""
    return await _interrupt(request, interruptions.resume, "resume")


async def skip(request: web.Request) -> web.Response:
    """Skip an occurrence, and answer with the schedule."""
    day = parse(SkipBody, await request_body.fields(request)).occurrence

    async def act(conn: Connection, business_id: int, schedule_id: UUID) -> Schedule:
        return await interruptions.skip(conn, business_id, schedule_id, day)

    return await _interrupt(request, act, "skip", str(day))


async def run_now(request: web.Request) -> web.Response:
    """Make a batch of a schedule now: 202 with the batch."""
    schedule_id, trace = path_id(request, "schedule"), request[TRACE]
    business = request[PRINCIPAL].business_id
    terms = Terms.of(request.app[SETTINGS])

    async def act(conn: Connection) -> StoredAnswer:
        batch = await run(conn, business, schedule_id, terms, trace)
        return StoredAnswer(202, batch.to_json())

    answer = await idempotency.answer(request, act, "run", str(schedule_id))
    answer.headers[hdrs.LOCATION] = f"/api/v3/batches/{_id_in(answer)}"
    return answer


async def _interrupt(
    request: web.Request,
    interrupt: Callable[[Connection, int, UUID], Awaitable[Schedule]],
    *asked: str,
) -> web.Response:
    schedule_id, business = path_id(request, "schedule"), request[PRINCIPAL].business_id

    async def act(conn: Connection) -> StoredAnswer:
        return StoredAnswer(200, (await interrupt(conn, business, schedule_id)).to_json())

    return await idempotency.answer(request, act, *asked, str(schedule_id))


def _id_in(answer: web.Response) -> str:
    return str(orjson.loads(answer.text or "{}")["id"])


def _json(text: str) -> web.Response:
    return web.Response(text=text, content_type="application/json")
