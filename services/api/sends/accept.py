"""Accepts a send: looks up what the request needs, makes the send of it and stores both.

A resend takes the same steps.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg
import orjson

from services.api.businesses import store as businesses
from services.api.businesses.periods import period_meant
from services.api.core.refusals import InFlight, KeyReused, NotFound
from services.api.core.uuid7 import uuid7
from services.api.idempotency.store import IdempotencyKey
from services.api.sends import quota
from services.api.sends.due_time import due_at
from services.api.sends.recipients import Candidates, Recipients, Suppressed
from services.api.sends.request import SendRequest
from services.api.sends.send import Recipient, Send, message
from services.api.sends.terms import Terms
from shared.db import sql
from shared.db.postgres import Connection
from shared.deliveries.states import State
from shared.mail.address import Address
from shared.period import Period
from shared.trace import Trace

_queries = sql.load("services.api.sends")


@dataclass(frozen=True)
class Accepted:
    """A send that is stored durably, and the answer to its request as JSON.

    `made` is the send, unless an earlier request made it.
    """

    send_id: UUID
    answer: str
    made: Send | None = None

    @property
    def replayed(self) -> bool:
        """Whether the answer is that of an earlier request."""
        return self.made is None

    @property
    def send(self) -> Send:
        """The send as it was when it was accepted."""
        return self.made or Send.model_validate_json(self.answer)


async def accept(
    conn: Connection,
    business_id: int,
    request: SendRequest,
    terms: Terms,
    key: IdempotencyKey | None = None,
    trace: Trace | None = None,
) -> Accepted:
    """Store the send, its deliveries and the answer stored under `key`: all of them or none.

    Raises NotFound if the customer is unknown, InvalidInput if the due times contradict each other,
    a word means no period, no recipient is left or there are too many, OverQuota if the quota of
    the day does not suffice, and KeyReused or InFlight because of `key`.
    """
    asked = await look(conn, business_id, request.customer_id, key)
    if (earlier := earlier_answer(asked, request.fingerprint)) is not None:
        return earlier
    if not asked["has_customer"]:
        raise NotFound("customer")
    now: datetime = asked["asked_at"]
    due = due_at(request.moments, asked["timezone"], now)
    period = await _period(conn, business_id, request, now)
    to = await _recipients(conn, business_id, request, terms, asked)
    send = draft(
        customer_id=request.customer_id,
        period=period,
        personal_message=request.message,
        now=now,
        due=due,
        expires_at=terms.expiry(due),
        paused=asked["paused"],
        to=to,
    )
    return await insert(
        conn,
        business_id,
        send,
        to,
        copy_to_me=request.copy_to_me,
        fingerprint=request.fingerprint,
        key=key,
        trace=trace,
        daily_quota=terms.daily_quota,
    )


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


def earlier_answer(asked: asyncpg.Record, fingerprint: bytes) -> Accepted | None:
    """Return the stored answer to the same request, or None. Raises KeyReused for another one."""
    if asked["fingerprint"] is None:
        return None
    if asked["fingerprint"] != fingerprint:
        raise KeyReused
    return Accepted(asked["send_id"], asked["answer"])


async def suppressions(
    conn: Connection, business_id: int, addresses: Iterable[Address]
) -> dict[str, Suppressed]:
    """Return the reasons of those of `addresses` that the business no longer mails, by key."""
    keys = [address.key for address in addresses]
    rows = await conn.fetch(_queries.suppressed, business_id, keys)
    return {row["email_key"]: Suppressed(row["reason"], row["reason_code"]) for row in rows}


def draft(
    *,
    customer_id: int,
    period: Period,
    personal_message: str | None,
    now: datetime,
    due: datetime,
    expires_at: datetime,
    paused: bool,
    to: Recipients,
    resend_of: UUID | None = None,
    statement_sha256: str | None = None,
) -> Send:
    """Return a new send, none of whose mails was tried yet."""
    return Send(
        id=uuid7(),
        message=message(send_at=due, created_at=now),
        personal_message=personal_message,
        status="scheduled" if due > now else "sending",
        paused=paused,
        customer_id=customer_id,
        start=period.start,
        end=period.end,
        send_at=due,
        expires_at=expires_at,
        created_at=now,
        statement_sha256=statement_sha256,
        resend_of=resend_of,
        recipients=tuple(_untried(address.email, due, now) for address in to.addresses),
        skipped=to.skipped,
    )


async def insert(
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
    """Store `send` and its answer under `key`, or return the answer that was stored before.

    Raises OverQuota if the quota of the day on which the send is due does not suffice.
    """
    frozen = send.statement_sha256
    query = sql.call(
        _queries.accept,
        id=send.id,
        business=business_id,
        customer=send.customer_id,
        start=send.start.isoformat(),
        end=send.end.isoformat(),
        personal_message=send.personal_message,
        copy_to_me=copy_to_me,
        skipped=orjson.dumps([skipped.model_dump() for skipped in send.skipped]).decode(),
        created_at=send.created_at,
        send_at=send.send_at,
        expires_at=send.expires_at,
        key=key and key.text,
        fingerprint=fingerprint,
        answer=(answer := send.to_json()),
        delivery_ids=[recipient.id for recipient in send.recipients],
        emails=[address.email for address in to.addresses],
        email_keys=[address.key for address in to.addresses],
        resend_of=send.resend_of,
        statement=frozen and bytes.fromhex(frozen),
        daily_quota=daily_quota,
        trace=trace and str(trace),
    )
    with quota.enforced(send.created_at, send.send_at, daily_quota):
        stored = await conn.fetchrow(*query)
    if stored is not None:
        return Accepted(send.id, answer, send)
    # The key was taken after the look, or another request takes it at this moment.
    asked = await look(conn, business_id, send.customer_id, key)
    earlier = earlier_answer(asked, fingerprint)
    if earlier is None:
        raise InFlight
    return earlier


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


def _untried(email: str, due: datetime, now: datetime) -> Recipient:
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
