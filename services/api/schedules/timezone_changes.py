"""Computes the instants of next occurrences again after the rules of time zones changed.

Governments change the rules of their clocks. A new release of the package tzdata has the new rules.
The instant of a next occurrence is stored up to a year before it, by the rules of that time. A
process that starts with a new release computes the stored instants again.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfoNotFoundError

import asyncpg

from services.api.schedules.instants import instant
from shared.db import sql
from shared.db.postgres import Connection

_queries = sql.load("services.api.schedules", "timezone_changes.sql")
_AT_ONCE: Final = 1_000
_BEFORE_ALL: Final = UUID(int=0)


async def follow(conn: Connection, *, at_once: int = _AT_ONCE) -> int:
    """Give each next occurrence its instant by the time zones of today; return how many changed.

    What is due within the hour stays as it is, because it may be at work.
    """
    corrected, last = 0, _BEFORE_ALL
    while rows := await conn.fetch(_queries.stored, last, at_once):
        last = rows[-1]["id"]
        if changed := [(row, at) for row, at in _instants(rows) if at != row["next_at"]]:
            ids, days, stored = ([row[name] for row, _ in changed] for name in _NAMES)
            instants = [at for _, at in changed]
            corrected += len(await conn.fetch(_queries.correct, ids, days, stored, instants))
    return corrected


_NAMES: Final = ("id", "next_on", "next_at")


def _instants(rows: Iterable[asyncpg.Record]) -> Iterable[tuple[asyncpg.Record, datetime]]:
    for row in rows:
        try:
            yield row, instant(row["next_on"], row["at_time"], row["timezone"])
        except (ZoneInfoNotFoundError, ValueError):
            continue  # the scheduler reports the error when the occurrence is due
