"""What an operator does about batches and schedules after a restore of the database."""

from typing import NamedTuple

from services.api.batches.expand import give_back
from shared.db import sql
from shared.db.postgres import Connection

_QUERIES = sql.load("services.api.relay")


class Stopped(NamedTuple):
    """The number of batches that failed, and of schedules that are paused."""

    batches: int
    schedules: int


async def stop(conn: Connection) -> Stopped:
    """Let nothing be expanded or made again that may have been mailed after the backup.

    Batches that were being expanded, or should have been by now, fail. Schedules with an occurrence
    that is due are paused, and frozen lists are deleted. For a restored database that no other
    process uses.
    """
    async with conn.transaction():
        await conn.execute(_QUERIES.skip_business_events)
        failed = await conn.fetch(_QUERIES.stop_batches)
        for batch in failed:
            await give_back(conn, batch["id"])
        paused = await conn.fetch(_QUERIES.pause_schedules)
        await conn.execute(_QUERIES.drop_frozen_lists)
    return Stopped(len(failed), len(paused))
