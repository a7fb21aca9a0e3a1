"""Roles of the test server's own, each with an address by which it comes to a database."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import asyncpg


@asynccontextmanager
async def role(database: str, options: str = "") -> AsyncIterator[str]:
    """The address of the database for a new login role without grants; both end with the block."""
    name, password = f"test_{secrets.token_hex(6)}", secrets.token_hex(16)
    admin = await asyncpg.connect(database)
    await admin.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{password}' {options}")
    try:
        yield as_role(database, name, password)
    finally:
        await admin.execute(f"DROP OWNED BY {name} CASCADE; DROP ROLE {name}")
        await admin.close()


def as_role(database: str, name: str, password: str) -> str:
    """The same address for another login."""
    parts = urlsplit(database)
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"{name}:{password}@{host}").geturl()
