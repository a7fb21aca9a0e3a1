"""Reads batches, and the customers that they skipped."""

from collections.abc import Sequence
from datetime import date, datetime
from functools import cache
from uuid import UUID

import asyncpg
import orjson

from services.api.batches.history import (
    BatchesQuery,
    SkippedQuery,
    place_of_batch,
    place_of_customer,
)
from services.api.batches.model import (
    UNFINISHED,
    Batch,
    BatchLinks,
    Phase,
    Progress,
    SkippedCustomer,
    Status,
)
from services.api.businesses.time_range import time_range
from services.api.core.deadline import promptly
from services.api.core.paging import OLDEST, Cursor, Page, item_bytes, number_within, page_of
from services.api.core.refusals import NotFound
from shared.db import sql
from shared.db.postgres import Connection
from shared.deliveries.states import OPEN

# Of the batches of a page together; counting their mails takes a fifth of a second.
_CUSTOMERS_OF_PAGE_MAX = 500_000
_queries = sql.load("services.api.batches")


async def one(conn: Connection, business_id: int, batch_id: UUID) -> Batch:
    """Return the current state of a batch. Raises NotFound, and Busy if it takes too long."""
    query = sql.filled(_queries.batches, chosen=_queries.by_id)
    async with promptly():
        row = await conn.fetchrow(*sql.call(query, business=business_id, id=batch_id))
    if row is None:
        raise NotFound("batch")
    return _batch(row)


async def check(conn: Connection, business_id: int, batch_id: UUID) -> None:
    """Raise NotFound if the business has no such batch."""
    if not await conn.fetchval(_queries.is_batch, business_id, batch_id):
        raise NotFound("batch")


async def business_of(conn: Connection, batch_id: UUID) -> int:
    """Return the business that has a batch. Raises NotFound."""
    business: int | None = await conn.fetchval(_queries.business_of, batch_id)
    if business is None:
        raise NotFound("batch")
    return business


async def page(conn: Connection, business_id: int, query: BatchesQuery) -> Page[Batch]:
    """Return a page of the history, which is shorter than the limit if its batches are large.

    Raises Invalid if no time lies between `created_from` and `created_to`, and Busy if it takes
    too long.
    """
    since, place = await time_range(
        conn, business_id, query.created_from, query.created_to, query.cursor
    )
    rows = await _rows(conn, business_id, query, since, place)
    rows = rows[: number_within(map(_size, rows))]
    data = tuple(map(_batch, rows))
    is_last = not rows or rows[-1]["is_last"]
    return Page(data=data, next_cursor=None if is_last else str(place_of_batch(data[-1])))


async def newest(
    conn: Connection, business_id: int | None, status: Status | None, most: int
) -> list[tuple[int, Batch]]:
    """Return the newest batches of a business (None: of all) with their businesses.

    They are at most `most`, and fewer if they are large. Raises Busy if it takes too long.
    """
    query = BatchesQuery(status=status, limit=most)
    rows = await _rows(conn, business_id, query, OLDEST.time, query.cursor)
    return [(row["business_id"], _batch(row)) for row in rows]


async def _rows(
    conn: Connection,
    business_id: int | None,
    query: BatchesQuery,
    since: datetime,
    place: Cursor[UUID],
) -> Sequence[asyncpg.Record]:
    text, names = sql.numbered(
        _page(
            is_of_business=business_id is not None,
            has_schedule=query.schedule_id is not None,
            has_status=query.status is not None,
        )
    )
    given = {
        "business": business_id,
        "since": since,
        "before": place.time,
        "before_id": place.key,
        "count": query.limit,
        "customers": _CUSTOMERS_OF_PAGE_MAX,
        "schedule": query.schedule_id,
        "status": query.status,
    }
    async with promptly():
        return await conn.fetch(text, *(given[name] for name in names))


async def skipped(
    conn: Connection, business_id: int, batch_id: UUID, query: SkippedQuery
) -> Page[SkippedCustomer]:
    """Return a page of the customers that a batch of the business skipped.

    Raises Invalid if the cursor is none of this batch, and Busy if it takes too long.
    """
    async with promptly():
        rows = await conn.fetch(
            _queries.skipped,
            *(business_id, batch_id, query.after(batch_id), query.reason_code, query.limit + 1),
        )
    found = [SkippedCustomer.model_validate(dict(row)) for row in rows]
    return page_of(found, query.limit, lambda last: place_of_customer(batch_id, last.customer_id))


@cache
def _page(*, is_of_business: bool, has_schedule: bool, has_status: bool) -> str:
    conditions = [
        _queries.of_business if is_of_business else _queries.everywhere,
        *((_queries.of_schedule,) if has_schedule else ()),
        *((_queries.of_status,) if has_status else ()),
    ]
    chosen = sql.filled(_queries.some, condition=" AND ".join(conditions))
    return sql.filled(_queries.batches, chosen=chosen)


def _size(row: asyncpg.Record) -> int:
    return item_bytes(row["filter"], row["personal_message"], *row["other_emails"])


def _batch(row: asyncpg.Record) -> Batch:
    customers, waiting, status = row["customers"], row["waiting"], row["status"]
    counts: dict[str, int] = orjson.loads(row["counts"])
    # What a batch that failed had become before may still be on its way.
    has_open = status == Phase.FAILED and not counts.keys().isdisjoint(OPEN)
    sends = customers - waiting - row["skipped_customers"]
    return Batch(
        **{name: row[name] for name in _AS_STORED},
        start=date.fromisoformat(row["start"]),
        end=date.fromisoformat(row["end"]),
        filter=orjson.loads(row["filter"]),
        counts=counts,
        skipped=orjson.loads(row["skipped"]),
        progress=Progress(
            customers=customers,
            expanded=customers - waiting,
            sends=sends,
            finished=sends - row["unfinished"],
        ),
        links=_links(row["id"], can_cancel=status in UNFINISHED or has_open),
    )


_AS_STORED = (
    *("id", "status", "paused", "reason", "reason_code", "statement_kind", "locale"),
    *("personal_message", "other_emails", "copy_to_me", "skip_empty", "min_balance"),
    *("frozen_list", "schedule_id", "occurrence", "send_at", "expires_at", "created_at"),
)


def _links(batch_id: UUID, *, can_cancel: bool) -> BatchLinks:
    path = f"/api/v3/batches/{batch_id}"
    return BatchLinks(
        self=path,
        sends=f"{path}/sends",
        skipped=f"{path}/skipped",
        cancel=f"{path}/cancel" if can_cancel else None,
    )
