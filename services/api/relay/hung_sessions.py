"""Ends the database sessions of relays that hang."""

from datetime import timedelta
from typing import Final

from shared.db import sql
from shared.db.postgres import Connection

# A relay gives up a statement after 30 s (shared/db/postgres.py).
HUNG_AFTER: Final = timedelta(seconds=40)
_QUERIES = sql.load("services.api.relay", "hung_sessions.sql")


async def end_hung(conn: Connection) -> int:
    """End the sessions of relays that have hung inside a statement for 40 s; return their number.

    Postgres ends a session by itself only if it hangs between two statements
    (idle_in_transaction_session_timeout). But asyncpg prepares a statement with one message and
    runs it with another, and a relay that is frozen between the two would keep its locks.
    """
    return len(await conn.fetch(_QUERIES.end_hung, HUNG_AFTER))
