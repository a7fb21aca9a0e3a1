"""What a request for a send comes to: who receives which statement, and when."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from services.api.businesses import store as businesses
from services.api.businesses.periods import period_meant
from services.api.core.refusals import NotFound
from services.api.idempotency.store import IdempotencyKey
from services.api.sends.due_time import due_at
from services.api.sends.recipients import Candidates, Recipients, Suppressed
from services.api.sends.request import SendRequest
from services.api.sends.terms import Terms
from shared.db import sql
from shared.db.postgres import Connection
from shared.mail.address import Address
from shared.period import Period
from shared.statements.model import Kind

_queries = sql.load("services.api.sends")


@dataclass(frozen=True)
class Plan:
    """A send that is to be made; the kind and the locale are null if they were not asked for."""

    customer_id: int
    period: Period
    message: str | None
    kind: Kind | None
    locale: str | None
    now: datetime
    due: datetime
    expires_at: datetime
    paused: bool
    to: Recipients


async def look(
    conn: Connection, business_id: int, customer_id: int, key: IdempotencyKey | None
) -> asyncpg.Record:
    """Return the data that a request needs: addresses, the time, the answer under its key.

    Raises NotFound if the business does not exist.
    """
    row = await conn.fetchrow(_queries.look, business_id, customer_id, key.text if key else "")
    if row is None:
        raise NotFound("customer")
    return row


async def plan(
    conn: Connection, business_id: int, request: SendRequest, terms: Terms, asked: asyncpg.Record
) -> Plan:
    """Return what the request comes to; `asked` is what `look` returned for it.

    Raises NotFound if the customer is unknown, and InvalidInput if the due times contradict each
    other, a word means no period, no recipient is left or there are too many.
    """
    if not asked["has_customer"]:
        raise NotFound("customer")
    now: datetime = asked["asked_at"]
    due = due_at(request.moments, asked["timezone"], now)
    return Plan(
        customer_id=request.customer_id,
        period=await _period(conn, business_id, request, now),
        message=request.message,
        kind=request.kind,
        locale=request.locale,
        now=now,
        due=due,
        expires_at=terms.expiry(due),
        paused=asked["paused"],
        to=await _recipients(conn, business_id, request, terms, asked),
    )


async def suppressions(
    conn: Connection, business_id: int, addresses: Iterable[Address]
) -> dict[str, Suppressed]:
    """Return the reasons of those of `addresses` that the business no longer mails, by key."""
    keys = [address.key for address in addresses]
    rows = await conn.fetch(_queries.suppressed, business_id, keys)
    return {row["email_key"]: Suppressed(row["reason"], row["reason_code"]) for row in rows}


async def _period(
    conn: Connection, business_id: int, request: SendRequest, now: datetime
) -> Period:
    if isinstance(request.period, Period):
        return request.period
    return period_meant(request.period, await businesses.business(conn, business_id), now)


async def _recipients(
    conn: Connection, business_id: int, request: SendRequest, terms: Terms, asked: asyncpg.Record
) -> Recipients:
    candidates = Candidates.gather(
        customer=asked["customer_email"],
        others=request.others,
        business=asked["business_email"],
        copy_to_me=request.copy_to_me,
    )
    suppressed = (
        await suppressions(conn, business_id, candidates.addresses) if asked["suppresses"] else {}
    )
    return Recipients.choose(candidates, suppressed, limit=terms.max_recipients)
