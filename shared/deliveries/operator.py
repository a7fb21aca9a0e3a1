"""An operator's transitions: rows in doubt, the quarantine after a restore, and pauses."""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal, NamedTuple
from uuid import UUID

from shared.db import sql
from shared.db.postgres import Connection
from shared.deliveries.reasons import ReasonCode
from shared.deliveries.states import State

_QUERIES = sql.load("shared.deliveries", "operator.sql")

# The resolutions of a mail in doubt: it went out, it is sent again, or it is given up.
Resolution = Literal["sent", "resend", "failed"]

_OUTCOMES: dict[Resolution, tuple[State, str, ReasonCode]] = {
    "sent": (
        State.SENT,
        "in doubt, and then said by a person to have been sent",
        ReasonCode.RESOLVED_AS_SENT,
    ),
    "resend": (
        State.DEFERRED,
        "in doubt, and then sent again by a person's decision",
        ReasonCode.RESOLVED_TO_RESEND,
    ),
    "failed": (
        State.FAILED,
        "in doubt, and then given up by a person",
        ReasonCode.RESOLVED_AS_FAILED,
    ),
}


class Pause(NamedTuple):
    """The time since which the mails of one business (None: of all) are paused."""

    business_id: int | None
    paused_at: datetime


class Backlog(NamedTuple):
    """The number of deliveries in one unfinished state, and the due time of the oldest."""

    state: State
    mails: int
    oldest_due: datetime


async def resolve(
    conn: Connection, delivery_id: UUID, resolution: Resolution, *, business_id: int | None = None
) -> UUID | None:
    """Resolve a row in doubt, and return its send, or None if it is not in doubt.

    After that a reply to the old attempt changes nothing. With `business_id`, only a row of that
    business is resolved.
    """
    state, reason, code = _OUTCOMES[resolution]
    async with conn.transaction():
        send: UUID | None = await conn.fetchval(
            _QUERIES.resolve, delivery_id, business_id, state, reason, code
        )
        if state is State.DEFERRED:
            await conn.execute(_QUERIES.wake)
    return send


async def quarantine(conn: Connection) -> dict[State, int]:
    """Mark all due, unfinished rows as in doubt; return their number by former state.

    For a restored database that no other process uses.
    """
    async with conn.transaction():
        rows = await conn.fetch(_QUERIES.quarantine)
        await conn.execute(_QUERIES.skip_events)
    return {State(row["state"]): row["count"] for row in rows}


async def cancel(conn: Connection, ids: Iterable[UUID]) -> int:
    """Cancel those of these mails that have not passed the gate, and return their number."""
    return len(await conn.fetch(_QUERIES.cancel, list(ids)))


async def pause(conn: Connection, business_id: int | None) -> None:
    """Let no mail of this business (None: of any) be claimed from now on."""
    await conn.execute(_QUERIES.pause, business_id)


async def resume(conn: Connection, business_id: int | None) -> bool:
    """End exactly this pause, and return whether it existed."""
    async with conn.transaction():
        ended = await conn.fetch(_QUERIES.resume, business_id)
        await conn.execute(_QUERIES.wake)
    return bool(ended)


async def pauses(conn: Connection) -> list[Pause]:
    """Return the current pauses."""
    return [Pause(*row) for row in await conn.fetch(_QUERIES.pauses)]


async def backlog(conn: Connection) -> list[Backlog]:
    """Return the unfinished deliveries by state."""
    rows = await conn.fetch(_QUERIES.backlog)
    return [Backlog(State(row["state"]), row["count"], row["oldest_due"]) for row in rows]
