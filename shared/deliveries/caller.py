"""A caller's transitions: cancels and reschedules the mails of an accepted send."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from shared.db import sql
from shared.db.postgres import Connection

_QUERIES = sql.load("shared.deliveries", "caller.sql")


class Rescheduled(NamedTuple):
    """The number of mails with a new due time, and the former due time of their send."""

    moved: int
    was_due: datetime | None


class Cancelled(NamedTuple):
    """The mails of a batch that were looked at, and how many of them are cancelled now."""

    found: int
    cancelled: int


async def cancel(conn: Connection, business_id: int, send_id: UUID) -> int:
    """Cancel the mails of a send that have not passed the gate, and return their number."""
    return len(await conn.fetch(_QUERIES.cancel, business_id, send_id))


async def cancel_some(conn: Connection, batch_id: UUID, most: int) -> Cancelled:
    """Cancel some mails of a batch that have not passed the gate; if none is found, none is left.

    At most `most` of them: those that would go out first.
    """
    [row] = await conn.fetch(_QUERIES.cancel_some, batch_id, most)
    return Cancelled(*row)


async def reschedule(
    conn: Connection, business_id: int, send_id: UUID, due: datetime, expires: datetime
) -> Rescheduled:
    """Change due time and expiry of a send's waiting mails, in a transaction of the caller.

    Mails wait if they are scheduled, queued or deferred.
    """
    # A separate statement: the next one sees all changes made before this one locked the rows.
    await conn.execute(_QUERIES.hold, business_id, send_id)
    [row] = await conn.fetch(_QUERIES.reschedule, business_id, send_id, due, expires)
    return Rescheduled(*row)
