"""Checks and configures sessions, whatever the defaults of the server, role or pooler are."""

from collections.abc import Mapping
from uuid import uuid4

import asyncpg

from shared.db import sql
from shared.process.health import Unwell

_QUERIES = sql.load("shared.db")
_UNFIT = frozenset({"LP001", "25006"})  # the codes in queries.sql

# The settings that our statements and the delivery promise rely on. They are set on every
# connection, because a pooler may drop a client's settings, and a database or a role may have its
# own.
_SETTINGS = {
    "synchronous_commit": "on",
    "default_transaction_isolation": "read committed",
    "standard_conforming_strings": "on",
    "timezone": "UTC",
    "datestyle": "ISO",
    "extra_float_digits": "1",
    "jit": "off",
    # Whoever writes a reason here writes its code, too (migration 0024).
    "ledgerpost.reason_codes": "on",
}


class Unfit(Unwell, ConnectionError):
    """Postgres answers, but its session is not usable for the delivery promise."""


async def begin(conn: asyncpg.Connection, settings: Mapping[str, str]) -> None:
    """Check and configure a new session, in one round trip.

    Raises Unfit if the session is shared, the encoding is not UTF-8, or the server is read-only.
    """
    await _begin(conn, settings, f"{_QUERIES.fits}; {_QUERIES.writes}")


async def _begin(conn: asyncpg.Connection, settings: Mapping[str, str], checks: str) -> None:
    # The mark by which a pooler is detected that gives the same session to another client.
    wanted = {**_SETTINGS, **settings, "ledgerpost.session": uuid4().hex}
    chosen = "; ".join(f"SET {name} = '{value}'" for name, value in wanted.items())
    await _ask(conn, f"{checks}; {chosen}")


async def begin_reading(conn: asyncpg.Connection, settings: Mapping[str, str]) -> None:
    """Check and configure a new session that only reads, as `begin` does; a replica is fine."""
    await _begin(conn, settings, _QUERIES.fits)


async def stands(conn: asyncpg.Connection | asyncpg.pool.PoolConnectionProxy) -> None:
    """Raise Unfit if a session is shared by now, or the server is read-only."""
    await _ask(conn, f"{_QUERIES.stands}; {_QUERIES.writes}")


async def stands_reading(conn: asyncpg.Connection) -> None:
    """Raise Unfit if a session that only reads is shared by now."""
    await _ask(conn, _QUERIES.stands)


async def _ask(
    conn: asyncpg.Connection | asyncpg.pool.PoolConnectionProxy, statements: str
) -> None:
    try:
        # Without arguments, so that nothing is prepared: a pooler could give it to another client.
        await conn.execute(statements)
    except asyncpg.PostgresError as error:
        if error.sqlstate in _UNFIT:
            raise Unfit(str(error).splitlines()[0]) from None
        raise
