"""The roles of the demo's Postgres: an owner, and a login for each process."""

import hashlib
import hmac
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg

_SQL = Path(__file__).resolve().parents[1] / "docker" / "roles.sql"
_PROCESSES = ("owner", "api", "relay", "mailer")


async def make(superuser: str) -> dict[str, str]:
    """Create the missing roles, and return the database URL of each process.

    Their passwords are derived from the superuser's: they are the same at every start, and do not
    reveal it.
    """
    parts = urlsplit(superuser)
    host = parts.netloc.rpartition("@")[2]
    passwords = {
        each: hmac.digest((parts.password or "").encode(), each.encode(), hashlib.sha256).hex()
        for each in _PROCESSES
    }
    conn = await asyncpg.connect(superuser, timeout=10)
    try:
        async with conn.transaction():
            await conn.execute(_SQL.read_text("utf-8"))
            for each, password in passwords.items():
                await conn.execute(f"ALTER ROLE lp_{each} PASSWORD '{password}'")
    finally:
        await conn.close()
    return {
        each: parts._replace(netloc=f"lp_{each}:{password}@{host}").geturl()
        for each, password in passwords.items()
    }
