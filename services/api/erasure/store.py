"""What is personal in the history of one customer, removed for good."""

from typing import NamedTuple

import asyncpg

from services.api.refusals import Conflict
from shared import sql

_QUERIES = sql.load("services.api.erasure")


class Erased(NamedTuple):
    """How many rows of each kind lost what was personal in them."""

    sends: int
    mails: int
    events: int
    statements: int
    suppressions: int
    answers: int


async def erase(conn: asyncpg.Connection, business_id: int, customer_id: int) -> Erased:
    """Remove it in one transaction, or raise Conflict while something is still to be done with it.

    Ids, states, times and digests stay, so that counts and references go on being right.
    """
    async with conn.transaction():
        rows = await conn.fetch(_QUERIES.lock_sends, business_id, customer_id)
        sends = [row["id"] for row in rows]
        await _check(conn, sends)
        found = await conn.fetch(_QUERIES.addresses, business_id, customer_id, sends)
        addresses = [row["email_key"] for row in found]
        keys = await conn.execute(_QUERIES.erase_keys, business_id, sends, addresses)
        answers = await conn.execute(_QUERIES.erase_answers, sends)
        lifted = await conn.execute(_QUERIES.erase_suppressions, business_id, addresses)
        events = await conn.execute(_QUERIES.erase_events, sends)
        mails = await conn.execute(_QUERIES.erase_deliveries, sends)
        statements = await conn.execute(_QUERIES.erase_statements, business_id, sends)
        await conn.execute(_QUERIES.erase_sends, sends)
    return Erased(
        len(sends),
        _count(mails),
        _count(events),
        _count(statements),
        _count(lifted),
        _count(keys) + _count(answers),
    )


async def _check(conn: asyncpg.Connection, sends: list[object]) -> None:
    unfinished = await conn.fetchval(_QUERIES.unfinished, sends)
    if unfinished:
        raise Conflict(
            f"{unfinished} mails of this customer are not at their end, or their last event was not"
            " published yet. Cancel or resolve them first, or wait."
        )
    if await conn.fetchval(_QUERIES.untold, sends):
        raise Conflict("An answer about this customer was not published yet. Wait for the relay.")


def _count(status: str) -> int:
    return int(status.rpartition(" ")[2])
