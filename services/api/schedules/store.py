"""Reads schedules, and shows them."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import date, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import asyncpg

from services.api.core.deadline import promptly
from services.api.core.paging import (
    NEWEST,
    Cursor,
    Page,
    PageQuery,
    Place,
    item_bytes,
    number_within,
    page_of,
)
from services.api.core.refusals import NotFound
from services.api.schedules.description import description
from services.api.schedules.model import Last, Next, Outcome, Schedule, ScheduleLinks, Status, links
from services.api.schedules.stored import Stored
from services.api.schedules.timing import Occurrence
from shared.db import sql
from shared.db.postgres import Connection

_queries = sql.load("services.api.schedules")


class SchedulesQuery(PageQuery):
    """Which page of a business's schedules to list, newest first, after `cursor`."""

    cursor: Place = NEWEST


async def page(conn: Connection, business_id: int, query: SchedulesQuery) -> Page[Schedule]:
    """Return a page of a business's schedules, which is short if their messages are long.

    Raises Busy if it takes too long.
    """
    text = sql.filled(_queries.schedules, chosen=_queries.newest)
    place = query.cursor
    async with promptly():
        rows = await conn.fetch(text, business_id, place.time, place.key, query.limit + 1)
    limit = min(query.limit, number_within(map(_size, rows)))
    return page_of(
        [shown(Stored(row)) for row in rows[: limit + 1]],
        limit,
        lambda schedule: Cursor(schedule.created_at, schedule.id),
    )


def _size(row: asyncpg.Record) -> int:
    return item_bytes(row["filter"], row["personal_message"], *row["other_emails"])


async def one(conn: Connection, business_id: int, schedule_id: UUID) -> Stored:
    """Return a schedule. Raises NotFound."""
    text = sql.filled(_queries.schedules, chosen=_queries.by_id)
    row = await conn.fetchrow(text, business_id, schedule_id)
    if row is None:
        raise NotFound("schedule")
    return Stored(row)


async def everyone(conn: Connection, business_id: int | None) -> list[Stored]:
    """Return all schedules of one business (None: of all), those that are due first."""
    text = sql.filled(_queries.schedules, chosen=_queries.everyone)
    return [Stored(row) for row in await conn.fetch(text, business_id)]


async def business_of(conn: Connection, schedule_id: UUID) -> int:
    """Return the business that has a schedule. Raises NotFound."""
    business: int | None = await conn.fetchval(_queries.business_of, schedule_id)
    if business is None:
        raise NotFound("schedule")
    return business


async def locked(conn: Connection, business_id: int, schedule_id: UUID) -> Stored:
    """Return a schedule that nobody else changes until the transaction is over. Raises NotFound."""
    await conn.execute(_queries.lock, business_id, schedule_id)
    return await one(conn, business_id, schedule_id)


async def longest_due(conn: Connection, after_business: int) -> Stored | None:
    """Return a schedule that is due and that no other relay has, or None.

    Businesses take turns: it is the longest due one of the next business after this one. Nobody
    else changes it until the transaction is over.
    """
    found = await conn.fetchrow(_queries.longest_due, after_business)
    return None if found is None else await one(conn, found["business_id"], found["id"])


async def business_now(conn: Connection, business_id: int) -> Mapping[str, Any]:
    """Return `asked_at`, `timezone` and `fiscal_year_start` of a business. Raises NotFound."""
    row = await conn.fetchrow(_queries.business_now, business_id)
    if row is None:
        raise NotFound("business")
    return dict(row)


async def number_failing(conn: Connection) -> int:
    """Return how many schedules have an occurrence that could not be made, and is tried again."""
    return int(await conn.fetchval(_queries.number_failing))


async def next_due(conn: Connection) -> timedelta | None:
    """Return the time until the next schedule is due; None if there is none."""
    due: timedelta | None = await conn.fetchval(_queries.next_due)
    return due


async def settled(conn: Connection, schedule_id: UUID, since: date) -> Mapping[date, Outcome]:
    """Return what became of the occurrences from `since` on that are settled, by local date."""
    rows = await conn.fetch(_queries.settled, schedule_id, since)
    return {row["occurrence"]: row["outcome"] for row in rows}


def shown(schedule: Stored) -> Schedule:
    """Return a schedule as the API shows it."""
    row, given = schedule.row, schedule.given()
    status: Status = "active"
    if schedule.next is None:
        status = "ended"
    elif schedule.is_paused:
        status = "paused"
    return Schedule.model_validate(
        {
            **given,
            "id": schedule.id,
            "status": status,
            "reason": row["reason"],
            "reason_code": row["reason_code"],
            "description": description(schedule.rule, given["time"]),
            "next": _next(schedule, schedule.next) if status == "active" else None,
            "last": _last(schedule),
            "paused_at": row["paused_at"],
            "created_at": row["created_at"],
            "updated_at": row["updated_at"],
            "links": ScheduleLinks(**links(schedule.id)),
        }
    )


def _next(schedule: Stored, occurrence: Occurrence | None) -> Next | None:
    return occurrence and Next(**placed(schedule, occurrence))


def placed(schedule: Stored, occurrence: Occurrence) -> dict[str, Any]:
    """Return the date, the local time and the period of an occurrence, by the names of Next."""
    start = end = None
    with suppress(ValueError):
        period = schedule.period(occurrence.day)
        start, end = period.start, period.end
    at = occurrence.at
    with suppress(ZoneInfoNotFoundError, ValueError):
        at = at.astimezone(ZoneInfo(schedule.timing.timezone))
    return {"occurrence": occurrence.day, "at": at, "start": start, "end": end}


def _last(schedule: Stored) -> Last | None:
    row = schedule.row
    if row["last_on"] is None:
        return None
    return Last(
        occurrence=row["last_on"],
        outcome=row["last_outcome"],
        batch_id=row["last_batch"],
        reason=row["last_reason"],
        reason_code=row["last_reason_code"],
    )
