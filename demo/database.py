"""Checks whether a database is the demo's: `python -m demo.database [KEY_FILE]`."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg

from demo.failure import DemoFailed
from demo.ledger import BUSINESSES, WHOLESALER
from services.api.access import store
from services.api.access.model import Key
from shared.process.settings import DatabaseSettings

_FOREIGN = "SELECT id, name FROM businesses WHERE NOT name = ANY ($1) ORDER BY id LIMIT 1"


async def refuse_foreign(dsn: str) -> None:
    """Check that the database contains only the demo's businesses.

    Raises DemoFailed if it contains another.
    """
    async with _connection(dsn) as conn:
        row = await conn.fetchrow(_FOREIGN, [business["name"] for business in BUSINESSES])
    if row:
        raise DemoFailed(
            f"the database holds business {row['id']} {row['name']!r}, which is not the demo's; "
            "the demo needs a database of its own (docs/docker.md, Leaving the demo)"
        )


async def opens(dsn: str, text: str) -> bool:
    """Return whether `text` is a valid key of the demo's business, and not of another one."""
    key = Key.parse(text)
    if key is None:
        return False
    async with _connection(dsn) as conn:
        holder = await store.principal(conn, key.sha256)
    return holder is not None and not holder.is_expired and holder.business_id == WHOLESALER


@asynccontextmanager
async def _connection(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    conn = await asyncpg.connect(dsn, timeout=10)
    try:
        yield conn
    finally:
        await conn.close()


def main(arguments: list[str], environ: Mapping[str, str]) -> int:
    """Return 0 if the key in the file is valid; without a file, if there is no other business."""
    dsn = DatabaseSettings.from_environ(environ).database.url
    if arguments:
        return 0 if asyncio.run(opens(dsn, Path(arguments[0]).read_text("utf-8").strip())) else 1
    try:
        asyncio.run(refuse_foreign(dsn))
    except DemoFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
