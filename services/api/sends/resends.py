"""Resends: new sends of the same frozen statement, which refer to the first send."""

from datetime import date, datetime
from uuid import UUID

from services.api.core.refusals import Conflict, Invalid, NotFound
from services.api.idempotency import store
from services.api.idempotency.store import IdempotencyKey
from services.api.sends.accept import Accepted, First, draft, earlier_answer, insert
from services.api.sends.plan import Plan, look, suppressions
from services.api.sends.recipients import Candidates, Recipients
from services.api.sends.terms import Terms
from shared.db import sql
from shared.db.postgres import Connection
from shared.mail.address import Address
from shared.period import Period
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

    Raises NotFound if there is no such send, NeverFrozen or WasErased if it cannot be sent again,
    InvalidInput if somebody was no recipient or nobody is left, OverQuota if the quota of the day
    does not suffice, and KeyReused or InFlight because of `key`.
    """
    keys = None if chosen is None else sorted(address.key for address in chosen)
    fingerprint = store.fingerprint("resend", str(send_id), keys)
    async with conn.transaction():
        first = await conn.fetchrow(_queries.original, business_id, send_id)
        if first is None:
            raise NotFound("send")
        asked = await look(conn, business_id, first["customer_id"], key)
        if (earlier := earlier_answer(asked, fingerprint)) is not None:
            return earlier
        if first["statement_sha256"] is None:
            raise NeverFrozen
        to = await _recipients(conn, business_id, send_id, chosen)
        now: datetime = first["asked_at"]
        planned = Plan(
            customer_id=first["customer_id"],
            period=Period(date.fromisoformat(first["start"]), date.fromisoformat(first["end"])),
            message=first["personal_message"],
            kind=first["statement_kind"],
            locale=first["locale"],
            now=now,
            due=now,
            expires_at=terms.expiry(now),
            paused=asked["paused"],
            to=to,
        )
        repeated = First(send_id, first["statement_sha256"], first["figures_sha256"])
        return await insert(
            conn,
            business_id,
            draft(planned, repeated),
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
