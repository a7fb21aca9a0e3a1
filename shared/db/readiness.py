"""The readiness check for Postgres."""

import asyncpg

from shared.db import migrate, session
from shared.process.health import Unwell, public_text


async def check_postgres(pool: asyncpg.Pool) -> None:
    """Return if Postgres answers, accepts writes and has every migration of this version.

    Raises Unwell with what is missing otherwise.
    """
    try:
        async with pool.acquire(timeout=2) as conn:
            await session.stands(conn)
            missing = await migrate.pending(conn)
    except Unwell:
        raise
    except Exception as error:
        raise Unwell(f"cannot be asked: {public_text(error)}") from error
    if missing:
        raise Unwell(f"migrations are pending: {', '.join(missing)}")
