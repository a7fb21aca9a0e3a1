from contextlib import suppress
from uuid import UUID

import asyncpg

from services.api.access import daily_counts
from services.api.core.deadline import promptly
from services.api.core.paging import Page, page_of
from services.api.core.refusals import NotFound
from services.api.suppressions.model import (
    Addressee,
    LiftedSuppression,
    Suppression,
    SuppressionBody,
    SuppressionsQuery,
    lifted_place_of,
    place_of,
)
from shared.db import sql
from shared.db.postgres import Connection
from shared.deliveries.reasons import ReasonCode
from shared.mail.address import Address

_queries = sql.load("services.api.suppressions")
_UNSUBSCRIBED = "unsubscribed by the link in a mail"


async def page(conn: Connection, business_id: int, query: SuppressionsQuery) -> Page[Suppression]:
    """Return a page of a business's list. Raises Busy if it takes too long."""
    rows = await _page(conn, _queries.page, business_id, query)
    return page_of([Suppression(**row) for row in rows], query.limit, place_of)


async def lifted(
    conn: Connection, business_id: int, query: SuppressionsQuery
) -> Page[LiftedSuppression]:
    """Return a page of the suppressions that were lifted. Raises Busy if it takes too long."""
    rows = await _page(conn, _queries.lifted, business_id, query)
    return page_of([LiftedSuppression(**row) for row in rows], query.limit, lifted_place_of)


async def add(
    conn: Connection, business_id: int, body: SuppressionBody
) -> tuple[Suppression, bool]:
    """Add an address to a business's list; return its entry, and whether the entry is new.

    Raises OverQuota if the business has added too many today.
    """
    while True:
        async with conn.transaction():
            row = await _add(
                conn, business_id, body.email.key, body.reason, ReasonCode.SUPPRESSED_BY_BUSINESS
            )
            if row is not None:
                await daily_counts.count(conn, business_id, "suppressions")
                return Suppression(**row), True
        row = await conn.fetchrow(_queries.one, business_id, body.email.key)
        if row is not None:  # otherwise it was removed in between
            return Suppression(**row), False


async def lift(conn: Connection, business_id: int, email: str, by: str, why: str) -> None:
    """Remove an address from a business's list, and keep who did it (`by`) and why.

    The address may be written as the list shows it, or in any spelling. Raises NotFound if it is
    not there.
    """
    keys = [email]
    # In lower case an address may have more octets than an address can have.
    with suppress(ValueError):
        keys.append(Address.parse(email).key)
    given = business_id, keys, by, why or None
    if "\0" in email or await conn.fetchval(_queries.lift, *given) is None:
        raise NotFound("suppression")


async def recipient(conn: Connection, delivery_id: UUID) -> Addressee | None:
    """Return the recipient of a delivery; None if the database has no such delivery."""
    row = await conn.fetchrow(_queries.recipient, delivery_id)
    return None if row is None else Addressee(**row)


async def unsubscribe(conn: Connection, recipient: Addressee) -> None:
    """Put a recipient on the list of the business that mailed; an earlier entry stays as it is."""
    code = ReasonCode.SUPPRESSED_UNSUBSCRIBED
    await _add(conn, recipient.business_id, recipient.email_key, _UNSUBSCRIBED, code)


async def _add(
    conn: Connection, business_id: int, email_key: str, reason: str, code: ReasonCode
) -> asyncpg.Record | None:
    return await conn.fetchrow(_queries.add, business_id, email_key, reason, code)


async def _page(
    conn: Connection, sql_text: str, business_id: int, query: SuppressionsQuery
) -> list[asyncpg.Record]:
    place = (query.cursor.time, query.cursor.key) if query.cursor else (None, None)
    async with promptly():
        rows: list[asyncpg.Record] = await conn.fetch(
            sql_text, business_id, *place, query.limit + 1
        )
    return rows
