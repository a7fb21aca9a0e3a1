"""Accepts a send: plans what the request asks for, makes the send of it and stores both.

A resend takes the same steps.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import asyncpg
import orjson

from services.api.core.refusals import InFlight, KeyReused
from services.api.core.uuid7 import uuid7
from services.api.idempotency.store import IdempotencyKey
from services.api.sends import quota
from services.api.sends.plan import Plan, look, plan
from services.api.sends.recipients import Recipients
from services.api.sends.request import SendRequest
from services.api.sends.send import Recipient, Send, message
from services.api.sends.terms import Terms
from services.api.statements.length import refuse_too_long
from shared.db import sql
from shared.db.postgres import Connection
from shared.deliveries.states import State
from shared.trace import Trace

_queries = sql.load("services.api.sends")


class First(NamedTuple):
    """The send that a resend repeats, with the hashes of its statement."""

    id: UUID
    statement_sha256: str
    figures_sha256: str | None


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
    a word means no period, no recipient is left, there are too many, or the statement of a send
    that is due now has too many lines, OverQuota if the quota of the day does not suffice, and
    KeyReused or InFlight because of `key`.
    """
    asked = await look(conn, business_id, request.customer_id, key)
    if (earlier := earlier_answer(asked, request.fingerprint)) is not None:
        return earlier
    planned = await plan(conn, business_id, request, terms, asked)
    if planned.due <= planned.now and asked["has_many_documents"]:
        # Of a later send nobody knows yet how long its statement will be.
        await refuse_too_long(conn, business_id, planned.customer_id, planned.period, planned.kind)
    return await insert(
        conn,
        business_id,
        draft(planned),
        planned.to,
        copy_to_me=request.copy_to_me,
        fingerprint=request.fingerprint,
        key=key,
        trace=trace,
        daily_quota=terms.daily_quota,
    )


def earlier_answer(asked: asyncpg.Record, fingerprint: bytes) -> Accepted | None:
    """Return the stored answer to the same request, or None. Raises KeyReused for another one."""
    if asked["fingerprint"] is None:
        return None
    if asked["fingerprint"] != fingerprint:
        raise KeyReused
    return Accepted(asked["send_id"], asked["answer"])


def draft(planned: Plan, repeated: First | None = None) -> Send:
    """Return a new send, none of whose mails was tried yet."""
    now, due = planned.now, planned.due
    return Send(
        id=uuid7(),
        message=message(send_at=due, created_at=now),
        personal_message=planned.message,
        status="scheduled" if due > now else "sending",
        paused=planned.paused,
        customer_id=planned.customer_id,
        start=planned.period.start,
        end=planned.period.end,
        statement_kind=planned.kind,
        locale=planned.locale,
        send_at=due,
        expires_at=planned.expires_at,
        created_at=now,
        statement_sha256=repeated and repeated.statement_sha256,
        figures_sha256=repeated and repeated.figures_sha256,
        resend_of=repeated and repeated.id,
        recipients=tuple(_untried(address.email, due, now) for address in planned.to.addresses),
        skipped=planned.to.skipped,
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
    query = sql.call(
        _queries.accept,
        id=send.id,
        business=business_id,
        customer=send.customer_id,
        start=send.start.isoformat(),
        end=send.end.isoformat(),
        statement_kind=send.statement_kind,
        locale=send.locale,
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
        statement=_digest(send.statement_sha256),
        figures=_digest(send.figures_sha256),
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


def _digest(written: str | None) -> bytes | None:
    return None if written is None else bytes.fromhex(written)


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
