"""Accepts sends that messages request, with the checks and the idempotency of the POST."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from services.api.access import store as access
from services.api.access.admission import Admission
from services.api.access.model import Key, Principal
from services.api.core import parsing
from services.api.core.problems import Problem
from services.api.core.refusals import (
    Conflict,
    FieldError,
    InFlight,
    Invalid,
    InvalidInput,
    Malformed,
    RateLimited,
    Refusal,
)
from services.api.idempotency.store import IdempotencyKey
from services.api.intake.messages import LONGEST_NAME, SendAccepted, SendRefused, SendRequested
from services.api.sends.accept import accept
from services.api.sends.terms import Terms
from shared.db import sql
from shared.db.postgres import Connection
from shared.trace import Trace

_queries = sql.load("services.api.intake")
_LARGEST = 1024 * 1024  # bytes, as over HTTP
# For each business, and for all requests without a valid key together: further refusals are only
# sent to `reply_to` and logged, because answers and dead letters are kept for long.
_REFUSED_A_DAY = 1000
# These refusals go only to `reply_to`: subscribers could not tell which request is meant, or
# would get them without end.
_UNTOLD = (Malformed, RateLimited)


@dataclass(frozen=True, repr=False)
class Asked:
    """A message that requests a send: its bytes and its headers."""

    body: bytes
    authorization: Sequence[str]
    traceparent: Sequence[str] = ()


@dataclass(frozen=True)
class QueueAnswer:
    """The answer to a request: its event, and the problem if it is refused.

    `is_buried` is whether a refused request goes to the dead letters.
    """

    event_id: str
    event: str
    trace: Trace
    business_id: int | None
    send_id: UUID | None = None
    problem: Problem | None = None
    is_buried: bool = False


class EventReused(Conflict):
    """A different request had the same `source` and `id`, which must identify one request."""

    def __init__(self) -> None:
        super().__init__(
            "An event with this source and id requested a send with different content."
        )


async def answer(conn: Connection, asked: Asked, terms: Terms, admission: Admission) -> QueueAnswer:
    """Store the requested send and the answer for subscribers, both or neither.

    A copy of an event gets the first answer. Of a refused request only the answer is stored; not
    even that if the key is invalid, the request could not be read, or the rate limit is exceeded.
    Raises InFlight if another copy is being handled.
    """
    principal, named = None, _Named(None, None)
    trace = Trace.of(asked.traceparent)
    try:
        principal, rate = await admission.admit(conn, Key.bearer(asked.authorization))
        if rate is not None:
            rate.check()
        principal.need("transactions:send")
        given = _object(asked.body)
        named = _Named.of(given)
        event = _event(given)
        trace = Trace.of([event.traceparent] if event.traceparent else asked.traceparent)
        return await _accept(conn, principal, event, terms, trace)
    except InFlight:
        raise
    except Refusal as refusal:
        return await _refuse(conn, principal, asked.body, named, refusal, trace)


@dataclass(frozen=True)
class _Named:
    """The `id` and `source` of a request, as far as they could be read."""

    id: str | None
    source: str | None

    @classmethod
    def of(cls, given: dict[str, Any]) -> "_Named":
        return cls(_name_in(given.get("id")), _name_in(given.get("source")))


def _name_in(value: object) -> str | None:
    return value if isinstance(value, str) and len(value) <= LONGEST_NAME else None


def _object(body: bytes) -> dict[str, Any]:
    if len(body) > _LARGEST:
        raise Malformed(f"The body has more than {_LARGEST} bytes.")
    value = parsing.json_value(body)
    if not isinstance(value, dict):
        raise Invalid("body", "should be a JSON object")
    data = value.get("data")
    parsing.within_bounds(data if isinstance(data, dict) else {})
    parsing.within_bounds(value)
    return value


def _event(given: dict[str, Any]) -> SendRequested:
    # An attribute that is null counts as absent (CloudEvents, JSON Event Format, 2.2).
    there = {name: value for name, value in given.items() if value is not None}
    try:
        return parsing.parse(SendRequested, there)
    except InvalidInput as error:
        # Name the fields as in the POST.
        raise InvalidInput(
            FieldError(each.field.removeprefix("data."), each.message) for each in error.errors
        ) from None


async def _accept(
    conn: Connection, principal: Principal, event: SendRequested, terms: Terms, trace: Trace
) -> QueueAnswer:
    request, business = event.data.request(), principal.business_id
    event_id = _name("accepted", business, event.source, event.id)
    key = None if event.idempotencykey is None else IdempotencyKey(event.idempotencykey)
    async with conn.transaction():
        stored = await conn.fetchrow(_queries.stored_answer, event_id)
        if stored is not None:
            if stored["fingerprint"] != request.fingerprint:
                raise EventReused
            return QueueAnswer(event_id, stored["event"], trace, business)
        accepted = await accept(conn, business, request, terms, key, trace)
        answered = SendAccepted(
            id=event_id,
            subject=str(accepted.send_id),
            time=datetime.now(UTC),
            traceparent=str(trace),
            requestid=event.id,
            requestsource=event.source,
            data=accepted.send,
        ).model_dump_json(by_alias=True)
        query = sql.call(
            _queries.store_answer,
            event_id=event_id,
            business=business,
            send=accepted.send_id,
            fingerprint=request.fingerprint,
            event=answered,
            trace=str(trace),
        )
        if await conn.fetchval(*query) is None:
            # A copy of the event was carried out since we looked; nothing of ours may stay.
            raise InFlight
    return QueueAnswer(event_id, answered, trace, business, accepted.send_id)


async def _refuse(
    conn: Connection,
    principal: Principal | None,
    body: bytes,
    named: _Named,
    refusal: Refusal,
    trace: Trace,
) -> QueueAnswer:
    problem = Problem.of(refusal)
    business = None if principal is None else principal.business_id
    event_id = _name("refused", business, hashlib.sha256(body).hexdigest(), problem.detail)
    answered = SendRefused(
        id=event_id,
        time=datetime.now(UTC),
        traceparent=str(trace),
        requestid=named.id,
        requestsource=named.source,
        data=problem,
    ).model_dump_json(by_alias=True)
    is_buried = await access.count_today(conn, business, "refused requests", _REFUSED_A_DAY)
    if is_buried and business is not None and not isinstance(refusal, _UNTOLD):
        query = sql.call(
            _queries.store_answer,
            event_id=event_id,
            business=business,
            send=None,
            fingerprint=None,
            event=answered,
            trace=str(trace),
        )
        await conn.execute(*query)
    return QueueAnswer(event_id, answered, trace, business, problem=problem, is_buried=is_buried)


def _name(*parts: object) -> str:
    """Return an event id that depends only on `parts`: a repeated answer has the same id."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]
