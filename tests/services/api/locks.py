"""Waiting until a session of Postgres waits for a lock."""

import asyncio

import asyncpg


async def blocked(session: asyncpg.Connection, seen_by: asyncpg.Connection | asyncpg.Pool) -> None:
    """Return once a session, which is busy, waits for a lock; another one looks.

    What other sessions of the server wait for does not count: other tests run beside this one.
    """
    waits, pid = "SELECT cardinality(pg_blocking_pids($1)) > 0", session.get_server_pid()
    async with asyncio.timeout(180):
        while not await seen_by.fetchval(waits, pid):
            await asyncio.sleep(0.01)
