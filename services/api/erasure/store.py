"""Removes the personal data of a customer or an address from the history."""

import asyncio

import asyncpg

from services.api.core.refusals import Conflict
from services.api.erasure.model import Erased, Found, Whom
from shared.db import sql
from shared.deliveries import operator

_QUERIES = sql.load("services.api.erasure")
# Checks for unpublished events.
_LOOKS_MAX, _LOOK_EVERY_S = 50, 0.2


async def cancel(conn: asyncpg.Connection, whom: Whom) -> int:
    """Cancel the mails that have not been handed over yet, and return their number.

    Waits up to ten seconds until the relay has published the events.
    """
    async with conn.transaction():
        found = await find(conn, whom)
        cancelled = await operator.cancel(conn, found.mails)
    for _ in range(_LOOKS_MAX):
        if not await conn.fetchval(_QUERIES.untold, found.mails, found.sends):
            break
        await asyncio.sleep(_LOOK_EVERY_S)
    return cancelled


async def find(conn: asyncpg.Connection, whom: Whom) -> Found:
    """Return the rows to erase, locked until the transaction ends."""
    business = whom.business_id
    if whom.address is not None:
        rows = await conn.fetch(_QUERIES.lock_mails_to, business, whom.address)
        sends = {row["send_id"]: None for row in rows}
        forms = {whom.address, *(row["written"] for row in rows)}
        return Found(tuple(sends), tuple(row["id"] for row in rows), tuple(forms))
    locked = await conn.fetch(_QUERIES.lock_sends, business, whom.customer_id)
    ids = [row["id"] for row in locked]
    mails = await conn.fetch(_QUERIES.lock_mails, ids)
    addresses = await conn.fetch(_QUERIES.addresses, business, whom.customer_id, ids)
    return Found(
        tuple(ids),
        tuple(row["id"] for row in mails),
        tuple(row["address"] for row in addresses),
    )


async def erase(conn: asyncpg.Connection, whom: Whom, found: Found) -> Erased:
    """Remove the personal data in `found`. Raises Conflict if a mail is unfinished or unpublished.

    Ids, states, times and digests stay, so that counts and references remain correct.
    """
    await _check(conn, found)
    business, addresses = whom.business_id, found.addresses
    answers = _count(await conn.execute(_QUERIES.erase_refusals, business, addresses))
    sends = statements = 0
    if whom.address is None:
        sends, statements = len(found.sends), await _erase_sends(conn, business, found)
        answers += _count(await conn.execute(_QUERIES.erase_keys, business, found.sends, addresses))
        answers += _count(await conn.execute(_QUERIES.erase_answers, found.sends))
    else:
        answers += _count(await conn.execute(_QUERIES.erase_keys, business, [], addresses))
        for form in addresses:
            sends += _count(await conn.execute(_QUERIES.mask_skipped, business, form))
            answers += _count(await conn.execute(_QUERIES.mask_keys, business, form))
            answers += _count(await conn.execute(_QUERIES.mask_answers, business, form))
    lifted = _count(await conn.execute(_QUERIES.erase_suppressions, business, addresses))
    events = _count(await conn.execute(_QUERIES.erase_events, found.mails))
    mails = _count(await conn.execute(_QUERIES.erase_mails, found.mails))
    return Erased(sends, mails, events, statements, lifted, answers)


async def owns(conn: asyncpg.Connection, business_id: int, digest: bytes) -> bool | None:
    """Return whether the key with this digest belongs to the business, or None if it is unknown."""
    owned: bool | None = await conn.fetchval(_QUERIES.owns, business_id, digest)
    return owned


async def _erase_sends(conn: asyncpg.Connection, business_id: int, found: Found) -> int:
    statements = await conn.execute(_QUERIES.erase_statements, business_id, found.sends)
    await conn.execute(_QUERIES.erase_sends, found.sends)
    return _count(statements)


async def _check(conn: asyncpg.Connection, found: Found) -> None:
    unfinished = await conn.fetchval(_QUERIES.unfinished, found.mails)
    if unfinished:
        raise Conflict(
            f"{unfinished} of these mails are unfinished. Cancel them (--cancel) or resolve them"
            " (in-doubt) first, or wait."
        )
    if await conn.fetchval(_QUERIES.untold, found.mails, found.sends):
        raise Conflict(
            "Events of these mails are not published yet. Try again when the relay has published"
            " them."
        )


def _count(status: str) -> int:
    return int(status.rpartition(" ")[2])
