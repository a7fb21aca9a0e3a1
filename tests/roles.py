"""Roles of the test server, each with a URL for a database.

The tests write and read as the owner; the tested processes log in as in production, each with only
the rights of its group.
"""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

import asyncpg

from shared.db.grants import API, LEDGER, MAILER, RELAY

_LOGINS = {
    "api": (API,),
    "relay": (RELAY,),
    "api_with_relay": (API, RELAY),
    "mailer": (MAILER,),
    "ledger": (LEDGER,),
}
_PASSWORD = "only-for-tests"


async def make_logins(database: str) -> None:
    """Create a login for each process, for all databases; `migrate` created the groups."""
    admin = await asyncpg.connect(database)
    for process, groups in _LOGINS.items():
        member = f"{_login(process)} LOGIN PASSWORD '{_PASSWORD}' IN ROLE {', '.join(groups)}"
        # Made for good, by whichever test session comes first.
        with suppress(asyncpg.DuplicateObjectError, asyncpg.UniqueViolationError):
            await admin.execute(f"CREATE ROLE {member}")
    await admin.close()


def acting(database: str, process: str) -> str:
    """The address of the database for the login of a process."""
    return as_role(database, _login(process), _PASSWORD)


def _login(process: str) -> str:
    assert process in _LOGINS
    return f"ledgerpost_test_{process}"


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
