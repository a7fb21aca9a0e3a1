"""Finds the session for whose lock another session waits."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime

import asyncpg

from shared.db import sql

_QUERIES = sql.load("shared.db")
_EVERY = 0.4  # seconds; a migration waits for a lock for 0.9 s at a time


@asynccontextmanager
async def named(dsn: str, pid: int, tell: Callable[[str], None]) -> AsyncIterator[None]:
    """Within the `async with`, report again and again for which session the backend `pid` waits."""
    watching = asyncio.create_task(_watch(dsn, pid, tell))
    try:
        yield
    finally:
        watching.cancel()
        # Not finding the session is no reason to fail.
        with suppress(asyncio.CancelledError, OSError, TimeoutError, asyncpg.PostgresError):
            await watching


async def _watch(dsn: str, pid: int, tell: Callable[[str], None]) -> None:
    await asyncio.sleep(_EVERY)
    conn = await asyncpg.connect(
        dsn, statement_cache_size=0, timeout=10,
        server_settings={"application_name": "ledgerpost-migrate-watch"},
    )  # fmt: skip
    try:
        while True:
            # In a transaction, so that a pooler stays with one backend.
            async with conn.transaction():
                rows = await conn.fetch(_QUERIES.blockers, pid)
            if rows:
                tell("; ".join(map(_name, rows)))
            await asyncio.sleep(_EVERY)
    finally:
        conn.terminate()


def _name(row: asyncpg.Record) -> str:
    """Return one line about a session; Postgres may hide the state and time of a foreign one."""
    since: datetime | None = row["since"]
    parts = [f"role {row['role']}", f"application {row['application'] or 'without a name'}"]
    if row["state"]:
        parts.append(row["state"])
    if since:
        parts.append(f"in a transaction since {since:%Y-%m-%dT%H:%M:%SZ}")
    return f"pid {row['pid']} ({', '.join(parts)})"
