from collections.abc import Sequence
from functools import cache
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from services.api.core.deadline import promptly
from services.api.core.paging import LIMIT_DEFAULT, Cursor, Page, page_of
from services.api.core.refusals import NotFound
from services.api.sends.history import HistoryQuery, place_of_send
from services.api.sends.send import Send, Status, message
from shared.db import sql
from shared.db.postgres import Connection

_queries = sql.load("services.api.sends")
# Sends may be large. A page of the default limit takes one query.
_SENDS_READ_TOGETHER = LIMIT_DEFAULT + 1
_PAGE_BYTES_MAX = 1024 * 1024  # about
_SEND_BYTES = 600  # of a send without its texts


async def one(conn: Connection, business_id: int, send_id: UUID) -> Send:
    """Return the current state of a send. Raises NotFound."""
    text = _queries.sends.replace("{chosen}", _queries.by_id)
    row = await conn.fetchrow(text, business_id, send_id)
    if row is None:
        raise NotFound("send")
    return _send(row)


async def page(conn: Connection, business_id: int, query: HistoryQuery) -> Page[Send]:
    """Return a page of the history, which is shorter than the limit if it gets too large.

    Raises Busy if it takes too long.
    """
    found: list[Send] = []
    size, place = 0, query.cursor
    while len(found) <= query.limit:
        wanted = min(_SENDS_READ_TOGETHER, query.limit + 1 - len(found))
        rows = await _rows(conn, business_id, query, place, wanted)
        for row in rows:
            size += _size(row)
            found.append(_send(row))
            if size > _PAGE_BYTES_MAX and len(found) > 1:
                return page_of(found, min(query.limit, len(found) - 1), place_of_send)
        if len(rows) < wanted:
            break
        place = place_of_send(found[-1])
    return page_of(found, query.limit, place_of_send)


async def _rows(
    conn: Connection, business_id: int, query: HistoryQuery, place: Cursor[UUID], count: int
) -> Sequence[asyncpg.Record]:
    given = [business_id, place.time, place.key, count]
    if query.customer_id is not None:
        given.append(query.customer_id)
    async with promptly():
        return await conn.fetch(page_text(query), *given)


def _size(row: asyncpg.Record) -> int:
    """Return the approximate size of a send as JSON, in bytes."""
    texts = (row["recipients"], row["skipped"], row["personal_message"] or "")
    return _SEND_BYTES + sum(len(text.encode()) for text in texts)


@cache
def _filters(*, of_customer: bool, status: Status | None) -> str:
    customer = _queries.of_customer if of_customer else ""
    match status:
        case None:
            return customer
        case "scheduled" | "sending":
            return f"{customer} {getattr(_queries, status)}"
        case _:
            return f"{customer} {_queries.ended}".replace("{status}", status)


def page_text(query: HistoryQuery) -> str:
    """Return the SQL of a page; each combination of filters has its own plan."""
    filters = _filters(of_customer=query.customer_id is not None, status=query.status)
    chosen = _queries.of_business.replace("{filters}", filters)
    return _queries.sends.replace("{chosen}", chosen)


def _send(row: asyncpg.Record) -> Send:
    given: dict[str, Any] = dict(row)
    for field in ("recipients", "skipped"):
        given[field] = orjson.loads(given[field])
    sentence = message(send_at=given["send_at"], created_at=given["created_at"])
    return Send.model_validate({**given, "message": sentence})
