"""Stores a send and its answer once; used for new sends and for resends."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import orjson

from services.api.core.refusals import InFlight, KeyReused, NotFound
from services.api.core.uuid7 import uuid7
from services.api.idempotency.store import IdempotencyKey
from services.api.sends import quota
from services.api.sends.recipients import Recipients, Suppressed
from services.api.sends.view import Recipient, Send
from shared.db import sql
from shared.db.postgres import Connection
from shared.deliveries.states import State
from shared.mail.address import Address
from shared.trace import Trace

_queries = sql.load("services.api.sends")
_LAST_TIME = datetime(9999, 12, 31, tzinfo=UTC)


@dataclass(frozen=True)
class Accepted:
    """A stored send and the answer as JSON; `replayed` if an earlier request stored them."""

    send_id: UUID
    answer: str
    replayed: bool = False


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


def answered(asked: asyncpg.Record, fingerprint: bytes) -> Accepted | None:
    """Return the stored answer to the same request, or None.

    Raises KeyReused for another request.
    """
    if asked["fingerprint"] is None:
        return None
    if asked["fingerprint"] != fingerprint:
        raise KeyReused
    return Accepted(asked["send_id"], asked["answer"], replayed=True)


async def keep(
    conn: Connection,
    business_id: int,
    send: Send,
    to: Recipients,
    *,
    copy_to_me: bool,
    fingerprint: bytes,
    key: IdempotencyKey | None,
    trace: Trace | None,
    daily_quota: int,
) -> Accepted:
    """Store `send` and its answer under `key`, or return the answer that is stored there.

    Raises OverQuota if the quota of the day on which the send is due is exceeded, KeyReused, and
    InFlight.
    """
    frozen = send.statement_sha256
    with quota.enforced(send.created_at, send.send_at, daily_quota):
        stored = await conn.fetchrow(
            _queries.accept,
            send.id,
            business_id,
            send.customer_id,
            send.date_from.isoformat(),
            send.date_to.isoformat(),
            send.personal_message,
            copy_to_me,
            orjson.dumps([skipped.model_dump() for skipped in send.skipped]).decode(),
            send.created_at,
            send.send_at,
            key and key.text,
            fingerprint,
            answer := send.to_json(),
            send.expires_at,
            [recipient.id for recipient in send.recipients],
            [address.email for address in to.addresses],
            [address.key for address in to.addresses],
            send.resend_of,
            frozen and bytes.fromhex(frozen),
            daily_quota,
            trace and str(trace),
        )
    if stored is not None:
        return Accepted(send.id, answer)
    # The key was taken after the query, or is being taken by another request.
    earlier = answered(await look(conn, business_id, send.customer_id, key), fingerprint)
    if earlier is None:
        raise InFlight
    return earlier


async def suppressions(
    conn: Connection, business_id: int, addresses: Iterable[Address]
) -> dict[str, Suppressed]:
    """Return the reasons of those of `addresses` that the business no longer mails, by key."""
    keys = [address.key for address in addresses]
    rows = await conn.fetch(_queries.suppressed, business_id, keys)
    return {row["email_key"]: Suppressed(row["reason"], row["reason_code"]) for row in rows}


def expiry(due: datetime, lateness: timedelta) -> datetime:
    """Return the expiry of a mail that is due at `due`, or the end of the calendar."""
    return due + lateness if lateness < _LAST_TIME - due else _LAST_TIME


def untried(email: str, due: datetime, now: datetime) -> Recipient:
    """Return a recipient of a new send."""
    return Recipient(
        id=uuid7(),
        email=email,
        state=State.SCHEDULED,
        attempts=0,
        reply=None,
        reason=None,
        reason_code=None,
        next_attempt_at=due,
        sent_at=None,
        updated_at=now,
    )
