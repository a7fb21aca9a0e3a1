"""Cancels a batch: nothing of it that has not been handed over goes out any more."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from services.api.batches.expand import give_back
from services.api.batches.model import OPEN, Phase
from services.api.core.refusals import Conflict, NotFound
from shared.db import sql
from shared.db.postgres import Connection
from shared.deliveries import caller

# Mails that one transaction cancels. The relay queues fewer in the same time, so that it never
# overtakes.
_STEP: Final = 1_000
# A cancel that has not gone on for so long was left by its process, or waits for mails that had
# passed the gate: it is far less than the time until a mail is tried again.
_LEFT: Final = timedelta(seconds=15)
_queries = sql.load("services.api.batches", "cancel.sql")


class NothingToCancel(Conflict):
    """The batch is over: every mail has gone out or is in another final state."""

    def __init__(self) -> None:
        super().__init__("Nothing of this batch can be cancelled any more.")


async def cancel(conn: Connection, business_id: int, batch_id: UUID) -> None:
    """Cancel whatever of a batch has not been handed over; to do it twice changes nothing.

    Customers that wait are not mailed any more once the first of several transactions ends. Raises
    NotFound, and NothingToCancel if there is nothing.
    """
    async with conn.transaction():
        await _begin(conn, business_id, batch_id)
    await _go_on(conn, batch_id)


async def go_on_with_left(conn: Connection) -> bool:
    """Go on with a cancel whose process ended, or whose last mails were at the smarthost.

    Return whether there was one.
    """
    batch_id = await conn.fetchval(_queries.left, _LEFT)
    if batch_id is None:
        return False
    await _go_on(conn, batch_id)
    return True


async def _begin(conn: Connection, business_id: int, batch_id: UUID) -> None:
    # A step of the expansion holds the batch, so the sends that it makes are seen afterwards.
    phase = await conn.fetchval(_queries.hold, business_id, batch_id)
    if phase is None:
        raise NotFound("batch")
    if phase == Phase.CANCELLED:
        return
    if phase == Phase.DONE:
        raise NothingToCancel
    stopped = await caller.cancel_some(conn, batch_id, _STEP)
    if phase not in OPEN and not stopped.cancelled:
        raise NothingToCancel
    await conn.execute(_queries.cancel, batch_id)
    await give_back(conn, batch_id, was_cancelled=True)


async def _go_on(conn: Connection, batch_id: UUID) -> None:
    while (await caller.cancel_some(conn, batch_id, _STEP)).found:
        await conn.execute(_queries.still_cancelling, batch_id)
    await conn.execute(_queries.cancelled, batch_id)
