from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import asyncpg
import orjson

from services.api.refusals import Conflict, Invalid, NotFound
from services.api.sends import quota, view
from services.api.sends.history import Cursor, HistoryQuery
from services.api.sends.idempotency import IdempotencyKey, InFlight, KeyReused
from services.api.sends.ids import uuid7
from services.api.sends.model import SendRequest
from services.api.sends.recipients import Candidates, Recipients
from services.api.sends.view import Page, Recipient, Send
from shared import sql
from shared.postgres import Connection

_queries = sql.load("services.api.sends")
_FIRST_DAY = date(2, 1, 1)
_LAST_TIME = datetime(9999, 12, 31, tzinfo=UTC)


class NothingToCancel(Conflict):
    """Every mail of the send has gone out, or has come to its end some other way."""

    def __init__(self) -> None:
        super().__init__("Nothing of this send can be cancelled any more.")


@dataclass(frozen=True)
class Terms:
    """The operator's limits on a send: its recipients, how late it may go out, and the day's quota.

    `daily_quota` is in recipients of one business on one day in UTC.
    """

    max_recipients: int
    max_lateness: timedelta
    daily_quota: int = 5_000


@dataclass(frozen=True)
class Accepted:
    """A send that is stored durably, and the answer as JSON; `replayed` from an earlier request."""

    send_id: UUID
    answer: str
    replayed: bool = False


async def accept(
    conn: Connection,
    business_id: int,
    request: SendRequest,
    terms: Terms,
    key: IdempotencyKey | None = None,
) -> Accepted:
    """Store the send, its deliveries and the answer kept under `key`: all of them or none.

    NotFound for an unknown customer; InvalidInput for contradicting moments, for nobody left to
    receive and for too many; OverQuota; KeyReused and InFlight about `key`.
    """
    asked = await _look(conn, business_id, request, key)
    if (earlier := _earlier(asked, request)) is not None:
        return earlier
    send, to = await _drafted(conn, business_id, request, terms, asked)
    with quota.enforced(send.created_at, terms.daily_quota):
        stored = await conn.fetchrow(
            _queries.accept,
            send.id,
            business_id,
            request.customer_id,
            request.period.start.isoformat(),
            request.period.end.isoformat(),
            request.message,
            request.copy_to_me,
            orjson.dumps([skipped.model_dump() for skipped in send.skipped]).decode(),
            send.created_at,
            send.send_at,
            key and key.text,
            request.fingerprint,
            answer := send.to_json(),
            send.expires_at,
            [uuid7() for _ in to.addresses],
            [address.email for address in to.addresses],
            [address.key for address in to.addresses],
            terms.daily_quota,
        )
    if stored is not None:
        return Accepted(send.id, answer)
    # The key was taken after the look, or is being taken right now.
    earlier = _earlier(await _look(conn, business_id, request, key), request)
    if earlier is None:
        raise InFlight
    return earlier


async def one(conn: Connection, business_id: int, send_id: UUID) -> Send:
    """Return a send as it stands, or raise NotFound."""
    row = await conn.fetchrow(f"{_queries.sends}\n{_queries.by_id}", business_id, send_id)
    if row is None:
        raise NotFound("send")
    return _send(row)


async def page(conn: Connection, business_id: int, query: HistoryQuery) -> Page:
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


async def cancel(conn: Connection, business_id: int, send_id: UUID) -> Send:
    """Cancel what has not been handed over yet and return the send; NotFound, NothingToCancel."""
    async with conn.transaction():
        cancelled = await conn.fetch(_queries.cancel, business_id, send_id)
        send = await one(conn, business_id, send_id)
    if not cancelled:
        raise NothingToCancel
    return send


async def _look(
    conn: Connection, business_id: int, request: SendRequest, key: IdempotencyKey | None
) -> asyncpg.Record:
    row = await conn.fetchrow(
        _queries.look,
        business_id,
        request.customer_id,
        key.text if key else "",
    )
    if row is None:
        raise NotFound("customer")
    return row


def _earlier(asked: asyncpg.Record, request: SendRequest) -> Accepted | None:
    if asked["fingerprint"] is None:
        return None
    if asked["fingerprint"] != request.fingerprint:
        raise KeyReused
    return Accepted(asked["send_id"], asked["answer"], replayed=True)


async def _drafted(
    conn: Connection, business_id: int, request: SendRequest, terms: Terms, asked: asyncpg.Record
) -> tuple[Send, Recipients]:
    if not asked["has_customer"]:
        raise NotFound("customer")
    now: datetime = asked["asked_at"]
    due = _due(request, asked["timezone"], now)
    candidates = Candidates.gather(
        customer=asked["customer_email"],
        others=request.others,
        business=asked["business_email"],
        copy_to_me=request.copy_to_me,
    )
    suppressed: dict[str, str] = {}
    if asked["suppresses"]:
        keys = [address.key for address in candidates.addresses]
        rows = await conn.fetch(_queries.suppressed, business_id, keys)
        suppressed = {row["email_key"]: row["reason"] for row in rows}
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
        expires_at=_expiry(due, terms.max_lateness),
        created_at=now,
        statement_sha256=None,
        recipients=tuple(_untried(address.email, due, now) for address in to.addresses),
        skipped=to.skipped,
    )
    return send, to


def _due(request: SendRequest, timezone: str, now: datetime) -> datetime:
    """Return when to send: a day means its first instant in the business's timezone, past is now.

    Not asked of Postgres, which takes CET and its like for fixed offsets.
    """
    if not request.moments:
        return now
    try:
        zone = ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError):
        raise Invalid("send_at", "cannot be told: the business's timezone is unknown") from None
    # The first days of year 1 have no instant in UTC; they are past like any other.
    days = [max(day, _FIRST_DAY) for day in request.days]
    starts = [datetime.combine(day, time.min, zone).astimezone(UTC) for day in days]
    meant = {max(each, now) for each in (*request.times, *starts)}
    if len(meant) > 1:
        raise Invalid("send_at", "contradicts send_tome")
    return meant.pop()


def _expiry(due: datetime, lateness: timedelta) -> datetime:
    return due + lateness if lateness < _LAST_TIME - due else _LAST_TIME


def _untried(email: str, due: datetime, now: datetime) -> Recipient:
    return Recipient(
        email=email,
        state="scheduled",
        attempts=0,
        reply=None,
        reason=None,
        next_attempt_at=due,
        sent_at=None,
        updated_at=now,
    )


def _send(row: asyncpg.Record) -> Send:
    given: dict[str, Any] = dict(row)
    for field in ("recipients", "skipped"):
        given[field] = orjson.loads(given[field])
    sentence = view.message(send_at=given["send_at"], created_at=given["created_at"])
    return Send.model_validate({**given, "message": sentence})
