"""Removes the personal data of a customer or an address from the history."""

import asyncio
from uuid import UUID

import asyncpg

from services.api.core.refusals import Conflict
from services.api.erasure import batches, returns
from services.api.erasure.model import Erased, Found, Whom, standing_alone
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
        await batches.stop_waiting(conn, whom)
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
    await batches.check(conn, whom)
    business, addresses = whom.business_id, found.addresses
    answers = _count(await conn.execute(_QUERIES.erase_refusals, business, addresses))
    sends = statements = 0
    of_sends: tuple[UUID, ...] = ()
    if whom.address is None:
        of_sends = found.sends
        sends, statements = len(of_sends), await _erase_sends(conn, business, found)
    answers += _count(await conn.execute(_QUERIES.erase_keys, business, of_sends, addresses))
    answers += _count(await conn.execute(_QUERIES.erase_answers, of_sends))
    for form in addresses:
        named = business, form, standing_alone(form)
        sends += _count(await conn.execute(_QUERIES.mask_skipped, *named))
        answers += _count(await conn.execute(_QUERIES.mask_keys, *named))
        answers += _count(await conn.execute(_QUERIES.mask_answers, *named))
    lifted = _count(await conn.execute(_QUERIES.erase_suppressions, business, addresses))
    events = _count(await conn.execute(_QUERIES.erase_events, found.mails))
    mails = _count(await conn.execute(_QUERIES.erase_mails, found.mails))
    listed = await batches.erase(conn, whom, addresses)
    returned = await returns.erase(conn, business, found.mails, addresses)
    return Erased(sends, mails, events, statements, lifted, answers, listed, returned)


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
