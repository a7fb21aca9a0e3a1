"""Resends: new sends of the same frozen statement, which refer to the first send."""

from datetime import date, timedelta
from uuid import UUID

import asyncpg

from services.api.core.refusals import Conflict, Invalid, NotFound
from services.api.core.uuid7 import uuid7
from services.api.idempotency import store
from services.api.idempotency.store import IdempotencyKey
from services.api.sends import view
from services.api.sends.acceptance import (
    Accepted,
    answered,
    expiry,
    keep,
    look,
    suppressions,
    untried,
)
from services.api.sends.recipients import Candidates, Recipients
from services.api.sends.store import Terms
from services.api.sends.view import Send
from shared.db import sql
from shared.db.postgres import Connection
from shared.mail.address import Address
from shared.trace import Trace

_queries = sql.load("services.api.sends")
_MOST_NAMED = 5  # unknown recipients that a refusal names


class NeverFrozen(Conflict):
    """The statement of the first send is not frozen, so it cannot be sent again."""

    def __init__(self) -> None:
        super().__init__("This send has no frozen statement yet that could be resent.")


class WasErased(Conflict):
    """All recipients of the first send were erased."""

    def __init__(self) -> None:
        super().__init__("The recipients of this send were erased.")


async def resend(
    conn: Connection,
    business_id: int,
    send_id: UUID,
    chosen: tuple[Address, ...] | None,
    terms: Terms,
    key: IdempotencyKey | None = None,
    trace: Trace | None = None,
) -> Accepted:
    """Store a send of the same statement to `chosen` of its recipients (None: all), due now.

    Raises NotFound, NeverFrozen, WasErased, OverQuota, and KeyReused or InFlight about `key`.
    Raises InvalidInput if a chosen address was not a recipient, or if no recipient is left.
    """
    keys = None if chosen is None else sorted(address.key for address in chosen)
    fingerprint = store.fingerprint("resend", str(send_id), keys)
    async with conn.transaction():
        first = await conn.fetchrow(_queries.original, business_id, send_id)
        if first is None:
            raise NotFound("send")
        asked = await look(conn, business_id, first["customer_id"], key)
        if (earlier := answered(asked, fingerprint)) is not None:
            return earlier
        if first["statement_sha256"] is None:
            raise NeverFrozen
        to = await _recipients(conn, business_id, send_id, chosen)
        return await keep(
            conn,
            business_id,
            _draft(send_id, first, to, terms.max_lateness, paused=asked["paused"]),
            to,
            copy_to_me=first["copy_to_me"],
            fingerprint=fingerprint,
            key=key,
            trace=trace,
            daily_quota=terms.daily_quota,
        )


async def _recipients(
    conn: Connection, business_id: int, send_id: UUID, chosen: tuple[Address, ...] | None
) -> Recipients:
    rows = await conn.fetch(_queries.recipients, send_id)
    if not rows:
        raise WasErased
    first = [Address(row["email"], row["email_key"]) for row in rows]
    strangers = {each.key: each.email for each in chosen or ()}
    for address in first:
        strangers.pop(address.key, None)
    if strangers:
        named = ", ".join(list(strangers.values())[:_MOST_NAMED])
        raise Invalid("recipients", f"were not all recipients: {named}")
    wanted = None if chosen is None else {each.key for each in chosen}
    addresses = tuple(each for each in first if wanted is None or each.key in wanted)
    suppressed = await suppressions(conn, business_id, addresses)
    return Recipients.choose(
        Candidates(addresses, ()), suppressed, limit=len(addresses), field="recipients"
    )


def _draft(
    send_id: UUID, first: asyncpg.Record, to: Recipients, lateness: timedelta, *, paused: bool
) -> Send:
    now = first["asked_at"]
    return Send(
        id=uuid7(),
        message=view.message(send_at=now, created_at=now),
        personal_message=first["personal_message"],
        status="sending",
        paused=paused,
        customer_id=first["customer_id"],
        date_from=date.fromisoformat(first["date_from"]),
        date_to=date.fromisoformat(first["date_to"]),
        send_at=now,
        expires_at=expiry(now, lateness),
        created_at=now,
        statement_sha256=first["statement_sha256"].hex(),
        resend_of=send_id,
        recipients=tuple(untried(address.email, now, now) for address in to.addresses),
        skipped=to.skipped,
    )
