"""A caller's transitions: what a business may still change about a send that was accepted."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from shared.db import sql
from shared.db.postgres import Connection

_QUERIES = sql.load("shared.deliveries", "caller.sql")


class Rescheduled(NamedTuple):
    """How many mails have another due time, and when their send was due before."""

    moved: int
    was_due: datetime | None


async def cancel(conn: Connection, business_id: int, send_id: UUID) -> int:
    """Cancel the mails of a send that have not passed the gate; return how many they were."""
    return len(await conn.fetch(_QUERIES.cancel, business_id, send_id))


async def reschedule(
    conn: Connection, business_id: int, send_id: UUID, due: datetime, expires: datetime
) -> Rescheduled:
    """Give the waiting mails of a send another due time and expiry, in a transaction of the caller.

    Mails wait if they are scheduled, queued or deferred.
    """
    # A statement of its own: the next one sees what was done before this had the rows.
    await conn.execute(_QUERIES.hold, business_id, send_id)
    [row] = await conn.fetch(_QUERIES.reschedule, business_id, send_id, due, expires)
    return Rescheduled(*row)
