"""The database session of a command."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from shared.db import postgres
from shared.db.migrate import assert_up_to_date


@asynccontextmanager
async def opened(dsn: str, *, name: str, **settings: str) -> AsyncIterator[asyncpg.Connection]:
    """Yield a session with an up-to-date database, with additional `settings`.

    Raises session.Unfit if the session is not usable (see shared/db/session.py), and MigrationError
    if a migration is missing.
    """
    conn = await postgres.connect(dsn, name=name, settings=settings)
    try:
        await assert_up_to_date(conn)
        yield conn
    finally:
        await conn.close()
