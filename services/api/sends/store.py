from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from services.api.businesses.time_range import time_range
from services.api.core.deadline import promptly
from services.api.core.paging import (
    LIMIT_DEFAULT,
    PAGE_BYTES_MAX,
    Cursor,
    Page,
    item_bytes,
    page_of,
)
from services.api.core.refusals import NotFound
from services.api.sends import history_sql
from services.api.sends.history import HistoryQuery, place_of_send
from services.api.sends.send import Send, message
from shared.db import sql
from shared.db.postgres import Connection

# Sends may be large. A page of the default limit takes one query.
_SENDS_READ_TOGETHER = LIMIT_DEFAULT + 1
# Of those that an index finds for a page, if another filter chooses among them.
SENDS_LOOKED_AT_MAX = 5_000


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
    since, place = await time_range(
        conn, business_id, query.created_from, query.created_to, query.cursor
    )
    found: list[Send] = []
    size = 0
    while len(found) <= query.limit:
        wanted = min(_SENDS_READ_TOGETHER, query.limit + 1 - len(found))
        rows = await _rows(conn, business_id, query, since, place, wanted)
        for row in rows:
            place = Cursor(row["created_at"], row["id"])
            if not row["is_found"]:
                continue
            size += item_bytes(row["recipients"], row["skipped"], row["personal_message"])
            found.append(_send(row))
            if size > PAGE_BYTES_MAX and len(found) > 1:
                return page_of(found, min(query.limit, len(found) - 1), place_of_send)
        if rows and rows[-1]["is_at_bound"] and len(found) <= query.limit:
            return Page(data=tuple(found), next_cursor=str(place))
        if len(rows) < wanted:
            break
    return page_of(found, query.limit, place_of_send)


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
        "batch": query.batch_id,
        "schedule": query.schedule_id,
    }
    async with promptly():
        return await conn.fetch(text, *(given[name] for name in names))


def _send(row: asyncpg.Record) -> Send:
    given: dict[str, Any] = dict(row)
    for field in ("recipients", "skipped"):
        given[field] = orjson.loads(given[field])
    sentence = message(send_at=given["send_at"], created_at=given["created_at"])
    return Send.model_validate({**given, "message": sentence})
