"""Takes in returned mails that a business posts, and reads those that are stored."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import asyncpg

from services.api.access import daily_counts
from services.api.businesses.time_range import time_range
from services.api.core.deadline import promptly
from services.api.core.paging import Page, page_of
from services.api.core.refusals import Busy, NotFound
from services.api.returns.model import Kind, Return, ReturnsQuery, place_of
from shared.db import sql
from shared.db.postgres import Connection
from shared.mail.return_path import ReturnPaths
from shared.returns import intake
from shared.returns.noted_recipient import noted_recipient

_queries = sql.load("services.api.returns")
_SETTLED_IN = timedelta(seconds=10)


@dataclass(frozen=True, repr=False)
class Kept:
    """A return as operators see it: its business and recipient, and its octets if they are kept."""

    business_id: int | None
    recipient: str | None
    shown: Return
    raw: bytes | None = None


async def take(
    conn: Connection, business_id: int, raw: bytes, recipient: str | None, paths: ReturnPaths
) -> tuple[Return, bool]:
    """Take in a mail that a business posts; return the stored one, and whether this is a copy.

    `recipient` is that of the envelope; without it the mail's header is searched for it. Raises
    NotFound if the mail is about another business's delivery, Busy if that delivery is being
    handed over at this moment, and OverQuota if the business has posted too many today.
    """
    address = recipient or noted_recipient(raw, paths)
    found = await intake.match(conn, address, paths) if address else None
    if found is not None and found.business_id != business_id:
        raise NotFound("delivery")
    incoming = intake.Incoming(raw, "api", address, business_id)
    async with conn.transaction():
        try:
            taken = await intake.take(conn, incoming, found)
        except intake.NotSettledYet:
            raise Busy(
                "The mail that this is about is being handed over at this moment.",
                retry_after=_SETTLED_IN,
            ) from None
        if not taken.is_copy:
            await daily_counts.count(conn, business_id, "returned mails")
            await daily_counts.count(conn, business_id, "bytes of returned mails", len(raw))
        return await one(conn, business_id, taken.id), taken.is_copy


async def page(conn: Connection, business_id: int, query: ReturnsQuery) -> Page[Return]:
    """Return a page of a business's returned mails.

    Raises Invalid if no time lies between `received_from` and `received_to`, and Busy if it takes
    too long.
    """
    names = ("received_from", "received_to")
    since, place = await time_range(
        conn, business_id, query.received_from, query.received_to, query.cursor, names
    )
    asked = sql.call(
        _queries.page,
        business=business_id,
        since=since,
        time=place.time,
        id=place.key,
        kind=query.kind,
        scope=query.scope,
        delivery=query.delivery_id,
        unmatched=query.unmatched,
        most=query.limit + 1,
    )
    async with promptly():
        rows = await conn.fetch(*asked)
    return page_of([Return(**row) for row in rows], query.limit, place_of)


async def one(conn: Connection, business_id: int, return_id: UUID) -> Return:
    """Return a returned mail of a business. Raises NotFound."""
    row = await conn.fetchrow(_queries.one, business_id, return_id)
    if row is None:
        raise NotFound("returned mail")
    return Return(**row)


async def newest(
    conn: Connection, business_id: int | None, kind: Kind | None, most: int, *, unmatched: bool
) -> list[Kept]:
    """Return the newest returned mails of a business (None: of all, and nobody's), without octets.

    Raises Busy if it takes too long.
    """
    async with promptly():
        rows = await conn.fetch(_queries.newest, business_id, kind, unmatched, most)
    return [_kept(row) for row in rows]


async def kept(conn: Connection, return_id: UUID) -> Kept:
    """Return a returned mail, whoever it belongs to, with its octets. Raises NotFound."""
    row = await conn.fetchrow(_queries.kept, return_id)
    if row is None:
        raise NotFound("returned mail")
    return _kept(row)


def _kept(row: asyncpg.Record) -> Kept:
    shown = Return(**{name: row[name] for name in Return.model_fields})
    return Kept(row["business_id"], row["recipient"], shown, row.get("raw"))
