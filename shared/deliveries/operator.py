"""An operator's transitions: rows in doubt, the quarantine after a restore, and pauses."""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal, NamedTuple
from uuid import UUID

from shared.db import sql
from shared.db.postgres import Connection
from shared.deliveries.states import State

_QUERIES = sql.load("shared.deliveries", "operator.sql")

# What a person may say of a mail in doubt: it went out, it is to go out again, or it is given up.
Resolution = Literal["sent", "resend", "failed"]

_OUTCOMES: dict[Resolution, tuple[State, str]] = {
    "sent": (State.SENT, "in doubt, and then said by a person to have been sent"),
    "resend": (State.DEFERRED, "in doubt, and then sent again at a person's word"),
    "failed": (State.FAILED, "in doubt, and then given up by a person"),
}


class Pause(NamedTuple):
    """Since when no mail of one business (None: of anybody) leaves the queue."""

    business_id: int | None
    paused_at: datetime


class Backlog(NamedTuple):
    """How many deliveries stand in one state that is no end, and since when the oldest is due."""

    state: State
    mails: int
    oldest_due: datetime


async def resolve(
    conn: Connection, delivery_id: UUID, resolution: Resolution, *, business_id: int | None = None
) -> UUID | None:
    """Settle a row in doubt as a person says and return its send; None where it is not in doubt.

    From then on no reply to the old attempt can decide. With `business_id`, only a row of that
    business.
    """
    state, reason = _OUTCOMES[resolution]
    async with conn.transaction():
        send: UUID | None = await conn.fetchval(
            _QUERIES.resolve, delivery_id, business_id, state, reason
        )
        if state is State.DEFERRED:
            await conn.execute(_QUERIES.wake)
    return send


async def quarantine(conn: Connection) -> dict[State, int]:
    """Put in doubt all that was due and not at its end; return how many by their state before.

    For a database that was restored, while nothing else runs on it.
    """
    async with conn.transaction():
        rows = await conn.fetch(_QUERIES.quarantine)
        await conn.execute(_QUERIES.skip_events)
    return {State(row["state"]): row["count"] for row in rows}


async def cancel(conn: Connection, ids: Iterable[UUID]) -> int:
    """Cancel those of these mails that have not passed the gate; return how many they were."""
    return len(await conn.fetch(_QUERIES.cancel, list(ids)))


async def pause(conn: Connection, business_id: int | None) -> None:
    """Let no mail of this business (None: of anybody) be claimed from now on."""
    await conn.execute(_QUERIES.pause, business_id)


async def resume(conn: Connection, business_id: int | None) -> bool:
    """End exactly that pause and return whether there was one."""
    async with conn.transaction():
        ended = await conn.fetch(_QUERIES.resume, business_id)
        await conn.execute(_QUERIES.wake)
    return bool(ended)


async def pauses(conn: Connection) -> list[Pause]:
    """Return the pauses in force."""
    return [Pause(*row) for row in await conn.fetch(_QUERIES.pauses)]


async def backlog(conn: Connection) -> list[Backlog]:
    """Return what has not come to its end, by state."""
    rows = await conn.fetch(_QUERIES.backlog)
    return [Backlog(State(row["state"]), row["count"], row["oldest_due"]) for row in rows]
