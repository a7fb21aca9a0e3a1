"""Forward-only migrations: numbered SQL files, each applied once, in a transaction of its own."""

import hashlib
from importlib.resources import files

import asyncpg

from shared.postgres import Connection

# Any number that no other program uses on the same database; held while migrating.
_LOCK = 0x1ED6E7905700

_HISTORY = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    name text PRIMARY KEY,
    sha256 text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)"""


class MigrationError(RuntimeError):
    """A migration that was applied has since changed or vanished from the program."""


def migrations() -> dict[str, str]:
    """Return the SQL of every migration by file name, in the order in which they apply."""
    folder = files("shared.migrations")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return {name: folder.joinpath(name).read_text("utf-8") for name in names}


async def migrate(dsn: str) -> list[str]:
    """Bring the database up to date and return the names of the migrations applied now.

    Safe when several processes start at once: they wait for each other on a session lock, which
    Postgres itself releases when its holder dies.
    """
    connection = await asyncpg.connect(
        dsn, server_settings={"application_name": "ledgerpost-migrate"}
    )
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
        await connection.execute(_HISTORY)
        return await _apply(connection)
    finally:
        await connection.close()


async def _apply(connection: asyncpg.Connection) -> list[str]:
    known = migrations()
    rows = await connection.fetch("SELECT name, sha256 FROM schema_migrations")
    applied: dict[str, str] = {row["name"]: row["sha256"] for row in rows}
    for name, digest in applied.items():
        if name not in known:
            raise MigrationError(f"{name} was applied but this version does not have it")
        if _digest(known[name]) != digest:
            raise MigrationError(f"{name} was changed after it was applied")
    pending = [name for name in known if name not in applied]
    for name in pending:
        async with connection.transaction():
            await connection.execute(known[name])
            await connection.execute(
                "INSERT INTO schema_migrations (name, sha256) VALUES ($1, $2)",
                name,
                _digest(known[name]),
            )
    return pending


async def pending(connection: Connection) -> list[str]:
    """Return the names of the migrations that the database still lacks."""
    if await connection.fetchval("SELECT to_regclass('schema_migrations')") is None:
        return list(migrations())
    applied = {row["name"] for row in await connection.fetch("SELECT name FROM schema_migrations")}
    return [name for name in migrations() if name not in applied]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
