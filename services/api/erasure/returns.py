"""Removes the personal data of a customer or an address from returned mail."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from shared.db import sql

_QUERIES = sql.load("services.api.erasure", "returns.sql")


async def erase(
    conn: asyncpg.Connection, business_id: int, mails: Sequence[UUID], addresses: Sequence[str]
) -> int:
    """Remove what came back of these mails, and what names one of these addresses.

    Returns the number of rows deleted or changed. A returned mail about another delivery is deleted
    too if it names an address; what it said about that delivery stays.
    """
    statuses = [
        await conn.execute(_QUERIES.erase_returns, business_id, mails, addresses),
        await conn.execute(_QUERIES.erase_mails, business_id, addresses),
        await conn.execute(_QUERIES.erase_words, business_id, addresses),
        await conn.execute(_QUERIES.erase_lifted, business_id, addresses),
        await conn.execute(_QUERIES.erase_notes, business_id, addresses),
        await conn.execute(_QUERIES.erase_whys, business_id, addresses),
    ]
    return sum(int(status.rpartition(" ")[2]) for status in statuses)
