from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self
from uuid import UUID

import asyncpg
import orjson

from services.api.refusals import NotFound
from services.api.sends import view
from services.api.sends.history import Cursor, HistoryQuery
from services.api.sends.idempotency import IdempotencyKey
from services.api.sends.ids import uuid7
from services.api.sends.keeping import (
    Accepted,
    answered,
    expiry,
    keep,
    look,
    suppressions,
    untried,
)
from services.api.sends.model import SendRequest
from services.api.sends.moments import due_at
from services.api.sends.recipients import Candidates, Recipients
from services.api.sends.view import Page, Send
from shared import sql
from shared.postgres import Connection
from shared.settings import SendSettings
from shared.trace import Trace

_queries = sql.load("services.api.sends")


@dataclass(frozen=True)
class Terms:
    """The operator's limits on a send: its recipients, how late it may go out, and the day's quota.

    `daily_quota` is in recipients of one business on one day in UTC.
    """

    max_recipients: int
    max_lateness: timedelta
    daily_quota: int

    @classmethod
    def of(cls, settings: SendSettings) -> Self:
        """Return what the operator set."""
        return cls(settings.max_recipients, settings.max_lateness, settings.daily_quota)


async def accept(
    conn: Connection,
    business_id: int,
    request: SendRequest,
    terms: Terms,
    key: IdempotencyKey | None = None,
    trace: Trace | None = None,
) -> Accepted:
    """Store the send, its deliveries and the answer kept under `key`: all of them or none.

    NotFound for an unknown customer; InvalidInput for contradicting moments, for nobody left to
    receive and for too many; OverQuota; KeyReused and InFlight about `key`.
    """
    asked = await look(conn, business_id, request.customer_id, key)
    if (earlier := answered(asked, request.fingerprint)) is not None:
        return earlier
    if not asked["has_customer"]:
        raise NotFound("customer")
    send, to = await _drafted(conn, business_id, request, terms, asked)
    return await keep(
        conn,
        business_id,
        send,
        to,
        copy_to_me=request.copy_to_me,
        fingerprint=request.fingerprint,
        key=key,
        trace=trace,
        daily_quota=terms.daily_quota,
    )


async def one(conn: Connection, business_id: int, send_id: UUID) -> Send:
    """Return a send as it stands, or raise NotFound."""
    row = await conn.fetchrow(f"{_queries.sends}\n{_queries.by_id}", business_id, send_id)
    if row is None:
        raise NotFound("send")
    return _send(row)


async def page(conn: Connection, business_id: int, query: HistoryQuery) -> Page[Send]:
    """Return the page of the history that `query` asks for."""
    place = (query.cursor.created_at, query.cursor.id)
    # One more than asked for, to know whether there is a next page.
    given = (business_id, query.status, *place, query.limit + 1)
    if query.customer_id is None:
        rows = await conn.fetch(f"{_queries.sends}\n{_queries.of_business}", *given)
    else:
        clause = f"{_queries.sends}\n{_queries.of_customer}"
        rows = await conn.fetch(clause, *given, query.customer_id)
    sends = tuple(_send(row) for row in rows[: query.limit])
    more = len(rows) > query.limit
    return Page(data=sends, next_cursor=str(Cursor.after(sends[-1])) if more else None)


async def _drafted(
    conn: Connection, business_id: int, request: SendRequest, terms: Terms, asked: asyncpg.Record
) -> tuple[Send, Recipients]:
    now: datetime = asked["asked_at"]
    due = due_at(request.moments, asked["timezone"], now)
    candidates = Candidates.gather(
        customer=asked["customer_email"],
        others=request.others,
        business=asked["business_email"],
        copy_to_me=request.copy_to_me,
    )
    suppressed = (
        await suppressions(conn, business_id, candidates.addresses) if asked["suppresses"] else {}
    )
    to = Recipients.choose(candidates, suppressed, limit=terms.max_recipients)
    send = Send(
        id=uuid7(),
        message=view.message(send_at=due, created_at=now),
        personal_message=request.message,
        status="scheduled" if due > now else "sending",
        customer_id=request.customer_id,
        date_from=request.period.start,
        date_to=request.period.end,
        send_at=due,
        expires_at=expiry(due, terms.max_lateness),
        created_at=now,
        statement_sha256=None,
        resend_of=None,
        recipients=tuple(untried(address.email, due, now) for address in to.addresses),
        skipped=to.skipped,
    )
    return send, to


def _send(row: asyncpg.Record) -> Send:
    given: dict[str, Any] = dict(row)
    for field in ("recipients", "skipped"):
        given[field] = orjson.loads(given[field])
    sentence = view.message(send_at=given["send_at"], created_at=given["created_at"])
    return Send.model_validate({**given, "message": sentence})
