"""Cancels and reschedules accepted sends."""

from datetime import UTC, date, datetime
from uuid import UUID

from services.api.access import daily_counts
from services.api.core.refusals import Conflict, NotFound
from services.api.sends import quota
from services.api.sends.due_time import due_at
from services.api.sends.send import Send
from services.api.sends.store import one
from services.api.sends.terms import Terms
from shared.db import sql
from shared.db.postgres import Connection
from shared.deliveries import caller

_queries = sql.load("services.api.sends")


class NothingToCancel(Conflict):
    """Every mail of the send has gone out or is in another final state."""

    def __init__(self) -> None:
        super().__init__("No mail of this send can be cancelled any more.")


class NothingToReschedule(Conflict):
    """No mail of the send waits: each is in flight or in a final state."""

    def __init__(self) -> None:
        super().__init__("No mail of this send can be rescheduled any more.")


async def cancel(conn: Connection, business_id: int, send_id: UUID) -> Send:
    """Cancel the mails that have not been handed over, and return the send.

    Raises NotFound, and NothingToCancel if there is no such mail.
    """
    async with conn.transaction():
        cancelled = await caller.cancel(conn, business_id, send_id)
        send = await one(conn, business_id, send_id)
    if not cancelled:
        raise NothingToCancel
    return send


async def reschedule(
    conn: Connection, business_id: int, send_id: UUID, moment: date | datetime, terms: Terms
) -> Send:
    """Change the due time of the mails that wait, and return the send.

    Mails wait if they are scheduled, queued or deferred. They expire `max_lateness` after the new
    time, and count towards the quota of the new day. A frozen statement stays as it is. Raises
    NotFound, NothingToReschedule, and OverQuota, also if too many sends got another day today.
    """
    async with conn.transaction():
        asked = await conn.fetchrow(_queries.now_in_business, business_id)
        if asked is None:
            raise NotFound("send")
        due = due_at((moment,), asked["timezone"], asked["asked_at"])
        moved, was_due = await caller.reschedule(conn, business_id, send_id, due, terms.expiry(due))
        if moved and was_due is not None:
            if was_due.astimezone(UTC).date() != due.astimezone(UTC).date():
                # Each day that a send was ever due on has rows of its own until it is past.
                await daily_counts.count(conn, business_id, "times of sends")
            with quota.enforced(asked["asked_at"], due, terms.daily_quota):
                await conn.execute(
                    _queries.move_charge, business_id, was_due, due, moved, terms.daily_quota
                )
        send = await one(conn, business_id, send_id)
    if not moved:
        raise NothingToReschedule
    return send
