"""Checks the role with which a process logs in to Postgres."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import structlog

from shared.db import sql

_QUERIES = sql.load("shared.db")
_RETRY = 5.0  # seconds

_log = structlog.get_logger(__name__)


@asynccontextmanager
async def warned(dsn: str) -> AsyncIterator[None]:
    """Within the `async with`, log one warning if the login has the rights of the owner."""
    telling = asyncio.create_task(_warn(dsn))
    try:
        yield
    finally:
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)


async def _warn(dsn: str) -> None:
    while True:
        try:
            login = await _all_mighty(dsn)
        except (OSError, TimeoutError, asyncpg.InterfaceError, asyncpg.PostgresError):
            # Others log that Postgres is unavailable.
            await asyncio.sleep(_RETRY)
            continue
        if login is not None:
            _log.warning(
                "login_owns_tables",
                role=login,
                hint="give each process a role of its own,"
                " see Roles of the database in docs/postgres.md",
            )
        return


async def _all_mighty(dsn: str) -> str | None:
    """Return the login if it is a superuser or has the rights of the tables' owner."""
    conn = await asyncpg.connect(
        dsn, timeout=5, statement_cache_size=0,
        server_settings={"application_name": "ledgerpost-login"},
    )  # fmt: skip
    try:
        async with conn.transaction():
            login: str | None = await conn.fetchval(_QUERIES.all_mighty)
        return login
    finally:
        conn.terminate()
