"""Warns of many bounces that are about the sender or the servers, and about no recipient."""

import time
from datetime import timedelta
from typing import Final

import asyncpg

from shared.db import sql
from shared.db.postgres import Connection

_QUERIES = sql.load("shared.returns")
#: So many bounces of one scope about the sender or the servers, in so long, are a warning.
RECENT: Final = timedelta(hours=6)
MANY: Final = 20
# Of one scope; more are not counted.
_MOST = 10_000
# Probes need no key, so they do not decide how often the database is asked.
_FRESH_S = 5.0


async def about_us(conn: Connection) -> dict[str, int]:
    """Return the number of recent bounces about the sender or the servers, by scope, if many."""
    rows = await conn.fetch(_QUERIES.about_us, RECENT, MANY, _MOST)
    return {row["scope"]: row["mails"] for row in rows}


def lines(bounces: dict[str, int]) -> list[str]:
    """Return a line for each scope."""
    hours = RECENT // timedelta(hours=1)
    return [
        f"bounces of the scope {scope} in {hours} hours: {mails} (they are about us or the servers;"
        " see returns list --kind bounce)"
        for scope, mails in bounces.items()
    ]


class Warnings:
    """What the health report says of such bounces; it asks the database every few seconds."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        """Create it; nothing is asked yet."""
        self._pool = pool
        self._asked_at: float | None = None
        self._said = ""

    async def said(self) -> str:
        """Return the warning in one line, or an empty text."""
        now = time.monotonic()
        if self._asked_at is None or now - self._asked_at >= _FRESH_S:
            # Whoever probes meanwhile gets the former answer.
            self._asked_at = now
            async with self._pool.acquire(timeout=2) as conn:
                self._said = "; ".join(lines(await about_us(conn)))
        return self._said
