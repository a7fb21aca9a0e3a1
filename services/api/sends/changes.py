"""What may still be changed about a send that was accepted: cancelled, put to another time."""

from datetime import date, datetime
from uuid import UUID

from services.api.core.refusals import Conflict, NotFound
from services.api.sends import quota
from services.api.sends.acceptance import expiry
from services.api.sends.due_time import due_at
from services.api.sends.store import Terms, one
from services.api.sends.view import Send
from shared.db import sql
from shared.db.postgres import Connection
from shared.deliveries import caller

_queries = sql.load("services.api.sends")


class NothingToCancel(Conflict):
    """Every mail of the send has gone out, or has come to its end some other way."""

    def __init__(self) -> None:
        super().__init__("No mail of this send can be cancelled any more.")


class NothingToReschedule(Conflict):
    """No mail of the send waits: each is at work, or has come to its end."""

    def __init__(self) -> None:
        super().__init__("No mail of this send can be rescheduled any more.")


async def cancel(conn: Connection, business_id: int, send_id: UUID) -> Send:
    """Cancel what has not been handed over yet and return the send; NotFound, NothingToCancel."""
    async with conn.transaction():
        cancelled = await caller.cancel(conn, business_id, send_id)
        send = await one(conn, business_id, send_id)
    if not cancelled:
        raise NothingToCancel
    return send


async def reschedule(
    conn: Connection, business_id: int, send_id: UUID, moment: date | datetime, terms: Terms
) -> Send:
    """Give what still waits another due time and return the send; NotFound, NothingToReschedule.

    What is not at work yet moves: scheduled, queued, and waiting for its next attempt. It expires
    `max_lateness` after the new time, and counts towards the quota of the new day: OverQuota. A
    statement that is frozen already stays as it is.
    """
    async with conn.transaction():
        asked = await conn.fetchrow(_queries.now_in_business, business_id)
        if asked is None:
            raise NotFound("send")
        due = due_at((moment,), asked["timezone"], asked["asked_at"])
        moved, was_due = await caller.reschedule(
            conn, business_id, send_id, due, expiry(due, terms.max_lateness)
        )
        if moved:
            with quota.enforced(asked["asked_at"], due, terms.daily_quota):
                await conn.execute(
                    _queries.move_charge, business_id, was_due, due, moved, terms.daily_quota
                )
        send = await one(conn, business_id, send_id)
    if not moved:
        raise NothingToReschedule
    return send
