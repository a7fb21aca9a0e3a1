"""What every session with Postgres has to be, whatever the server, the role or a pooler sets."""

from collections.abc import Mapping
from uuid import uuid4

import asyncpg

from shared.db import sql
from shared.process.health import Unwell

_QUERIES = sql.load("shared.db")
_UNFIT = frozenset({"LP001", "25006"})  # the codes in queries.sql

# What our statements and the promise rest on. It is set anew on every connection: a pooler may drop
# what a client sets as it connects, and a database or a role may have settings of its own.
_SETTINGS = {
    "synchronous_commit": "on",
    "default_transaction_isolation": "read committed",
    "standard_conforming_strings": "on",
    "timezone": "UTC",
    "datestyle": "ISO",
    "extra_float_digits": "1",
    "jit": "off",
}


class Unfit(Unwell, ConnectionError):
    """Postgres answers, but the promise cannot rest on it."""


async def begin(conn: asyncpg.Connection, settings: Mapping[str, str]) -> None:
    """Make a new session fit for our statements, in one round trip.

    Raises Unfit if it cannot be: one that others use too, without UTF-8, or that takes no writes.
    """
    # The mark by which we find out that a pool gives the same session to somebody else.
    wanted = {**_SETTINGS, **settings, "ledgerpost.session": uuid4().hex}
    chosen = "; ".join(f"SET {name} = '{value}'" for name, value in wanted.items())
    await _ask(conn, f"{_QUERIES.fits}; {chosen}")


async def stands(conn: asyncpg.Connection | asyncpg.pool.PoolConnectionProxy) -> None:
    """Return if a session is still ours alone and takes writes; raises Unfit otherwise."""
    await _ask(conn, _QUERIES.stands)


async def _ask(
    conn: asyncpg.Connection | asyncpg.pool.PoolConnectionProxy, statements: str
) -> None:
    try:
        # Without arguments, so that nothing is prepared: a pool could give it to somebody else.
        await conn.execute(statements)
    except asyncpg.PostgresError as error:
        if error.sqlstate in _UNFIT:
            raise Unfit(str(error).splitlines()[0]) from None
        raise
