from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from services.api.businesses import store as businesses
from services.api.core.deadline import promptly
from services.api.core.paging import LIMIT_DEFAULT, Cursor, Page, page_of
from services.api.core.refusals import Invalid, NotFound
from services.api.sends import history_sql
from services.api.sends.due_time import first_instant
from services.api.sends.history import OLDEST, HistoryQuery, place_of_send
from services.api.sends.send import Send, message
from shared.db import sql
from shared.db.postgres import Connection

# Sends may be large. A page of the default limit takes one query.
_SENDS_READ_TOGETHER = LIMIT_DEFAULT + 1
_PAGE_BYTES_MAX = 1024 * 1024  # about
_SEND_BYTES = 600  # of a send without its texts
# Of those that an index finds for a page, if another filter chooses among them.
SENDS_LOOKED_AT_MAX = 5_000
_NO_ID = UUID(int=0)


async def one(conn: Connection, business_id: int, send_id: UUID) -> Send:
    """Return the current state of a send. Raises NotFound."""
    row = await conn.fetchrow(*sql.call(history_sql.one(), business=business_id, id=send_id))
    if row is None:
        raise NotFound("send")
    return _send(row)


async def page(conn: Connection, business_id: int, query: HistoryQuery) -> Page[Send]:
    """Return a page of the history.

    It is shorter than the limit if it gets too large, or if few of the sends that were looked at
    meet the filters. Raises Invalid if no time lies between `created_from` and `created_to`, and
    Busy if it takes too long.
    """
    since, place = await _range(conn, business_id, query)
    found: list[Send] = []
    size = 0
    while len(found) <= query.limit:
        wanted = min(_SENDS_READ_TOGETHER, query.limit + 1 - len(found))
        rows = await _rows(conn, business_id, query, since, place, wanted)
        for row in rows:
            place = Cursor(row["created_at"], row["id"])
            if not row["is_found"]:
                continue
            size += _size(row)
            found.append(_send(row))
            if size > _PAGE_BYTES_MAX and len(found) > 1:
                return page_of(found, min(query.limit, len(found) - 1), place_of_send)
        if rows and rows[-1]["is_at_bound"] and len(found) <= query.limit:
            return Page(data=tuple(found), next_cursor=str(place))
        if len(rows) < wanted:
            break
    return page_of(found, query.limit, place_of_send)


async def _range(
    conn: Connection, business_id: int, query: HistoryQuery
) -> tuple[datetime, Cursor[UUID]]:
    """Return the time before which nothing is listed, and the place after which the page begins."""
    since, last = query.created_from, query.created_to
    if since is None and last is None:
        return OLDEST.time, query.cursor
    business = await businesses.business(conn, business_id)

    def instant(moment: date | datetime, field: str) -> datetime:
        if isinstance(moment, datetime):
            return moment
        return first_instant(moment, business.timezone, field)

    begin = OLDEST.time if since is None else instant(since, "created_from")
    if last is None:
        return begin, query.cursor
    whole = timedelta(microseconds=1) if isinstance(last, datetime) else timedelta(days=1)
    end = instant(last + whole, "created_to")
    if begin >= end:
        raise Invalid("created_from", "should not be after created_to")
    return begin, min(query.cursor, Cursor(end, _NO_ID), key=lambda each: (each.time, each.key))


async def _rows(
    conn: Connection,
    business_id: int,
    query: HistoryQuery,
    since: datetime,
    place: Cursor[UUID],
    count: int,
) -> Sequence[asyncpg.Record]:
    text, names = sql.numbered(history_sql.page(query))
    given = {
        "business": business_id,
        "since": since,
        "before": place.time,
        "before_id": place.key,
        "count": count,
        "looked": SENDS_LOOKED_AT_MAX,
        "customer": query.customer_id,
        "recipient": query.recipient and query.recipient.key,
        "q": query.q,
    }
    async with promptly():
        return await conn.fetch(text, *(given[name] for name in names))


def _size(row: asyncpg.Record) -> int:
    """Return the approximate size of a send as JSON, in bytes."""
    texts = (row["recipients"], row["skipped"], row["personal_message"] or "")
    return _SEND_BYTES + sum(len(text.encode()) for text in texts)


def _send(row: asyncpg.Record) -> Send:
    given: dict[str, Any] = dict(row)
    for field in ("recipients", "skipped"):
        given[field] = orjson.loads(given[field])
    sentence = message(send_at=given["send_at"], created_at=given["created_at"])
    return Send.model_validate({**given, "message": sentence})
