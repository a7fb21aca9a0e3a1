"""The limit on returned mails that match no delivery: anybody can send them."""

from typing import Final

import asyncpg

from shared.db import sql

_QUERIES = sql.load("shared.returns", "unmatched.sql")
#: On one day in UTC: of a business that posts mails, and of all Maildirs together.
MAILS_A_DAY: Final = 10_000
#: Room for 50 kB each, ten times a usual bounce; as large as each may be, they were 20 GB.
BYTES_A_DAY: Final = 512 * 1024 * 1024


async def has_room(database: asyncpg.Pool, size: int) -> bool:
    """Count a mail of so many bytes today; return False if there are too many with it.

    It is counted before it is stored, so that no crash lets more in.
    """
    async with database.acquire() as conn:
        counted: bool = await conn.fetchval(_QUERIES.count, size, MAILS_A_DAY, BYTES_A_DAY)
    return counted
