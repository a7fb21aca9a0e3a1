"""Forward-only migrations: numbered SQL files, each applied once, in a separate transaction."""

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, Container
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from importlib.resources import files
from typing import TypeVar

import asyncpg

from shared.db import rights
from shared.db.blockers import named
from shared.db.postgres import CONFLICTS, Connection

Result = TypeVar("Result")

# Any number that no other program uses on the same database; held while migrating.
_LOCK = 0x1ED6E7905700
# While a migration waits for a lock on a table, all later queries wait behind it. So it gives up,
# lets them through, and tries again. Postgres looks for a deadlock after a second: whoever gives up
# before is not the reason that another session's transaction is ended.
_TURN = "SET LOCAL lock_timeout = '900ms'"
_RETRY_PAUSE_S = 1.0
_LOCK_WAIT = timedelta(minutes=5)

# The first line of each migration says whether it is applied before the processes of its version
# start, or after those of the version before have ended. It is not part of the digest, because
# migrations up to 0038 got theirs when databases existed to which they had been applied.
BEFORE, AFTER = "-- before the code\n", "-- after the code\n"

_HISTORY = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    name text PRIMARY KEY,
    sha256 text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)"""

# Not by to_regclass, which may remember that there was no such table: it notices the table of
# another migrator only if the statement opens a table.
_HAS_HISTORY = """
SELECT EXISTS (
    SELECT FROM pg_class WHERE relname = 'schema_migrations' AND pg_table_is_visible(oid)
)"""


class MigrationError(RuntimeError):
    """The database cannot be brought up to date; the message is one line with the reason."""


def migrations() -> dict[str, str]:
    """Return the SQL of every migration by file name, in the order of application."""
    folder = files("shared.db.migrations")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return {name: folder.joinpath(name).read_text("utf-8") for name in names}


async def migrate(
    dsn: str,
    *,
    after: bool = False,
    say: Callable[[str], None] = lambda _: None,
    patience: timedelta = _LOCK_WAIT,
) -> list[str]:
    """Bring the database and its rights up to date, and return the newly applied migrations.

    The last migrations wait if they come after the code, unless `after` is given or the database
    was empty. Several migrators may start at once: each step is a transaction that takes a lock,
    which also works through a pooler of transactions. `say` gets a line about the session that it
    waits for, and about migrations that wait.
    Raises MigrationError if the database is not in UTF-8, if its history belongs to another
    program, if rights differ that only their owner may change, or if it waits for longer than
    `patience`.
    """
    connection = await asyncpg.connect(
        dsn, statement_cache_size=0, server_settings={"application_name": "ledgerpost-migrate"}
    )
    try:
        assert_utf8(connection)
        after = after or not await _applied(connection)
        steps = _Steps(connection, dsn, say, patience)
        applied = []
        while (name := await steps.take(partial(_apply_next, after=after))) is not None:
            applied.append(name)
        held = _due(await _applied(connection), after=True)
        missing = await steps.take(rights.settle)
    except rights.MayNotGrant as error:
        raise MigrationError(str(error)) from None
    finally:
        await connection.close()
    if applied and missing:
        say(f"no rights granted to {', '.join(missing)}: no such roles, and they cannot be created")
    if held:
        say(f"for `migrate --after`, once the version before has ended: {', '.join(held)}")
    return applied


def assert_utf8(connection: Connection) -> None:
    """Raise MigrationError if the encoding of the database is not UTF-8."""
    encoding = connection.get_settings().server_encoding
    if encoding != "UTF8":
        raise MigrationError(
            f"the database stores text as {encoding}, which cannot represent every name and"
            " message: create one with ENCODING 'UTF8'"
        )


async def assert_up_to_date(connection: Connection) -> None:
    """Raise MigrationError if the database lacks a migration of this version."""
    if await pending(connection):
        raise MigrationError("the database is not up to date: run `ledgerpost-api migrate` first")


async def pending(connection: Connection) -> list[str]:
    """Return the names of the migrations that are not applied yet, but must be for the code."""
    return (await history(connection)).pending


@dataclass(frozen=True)
class History:
    """The names of migrations: which are applied, and in what the database differs.

    `unknown` ones were applied by another version, `changed` ones have another text here.
    """

    applied: list[str]
    pending: list[str]
    unknown: list[str]
    changed: list[str]


async def history(connection: Connection) -> History:
    """Return what was applied to the database, compared with this version."""
    known, applied = migrations(), await _applied(connection)
    return History(
        applied=sorted(applied),
        pending=_due(applied, after=False),
        unknown=sorted(applied.keys() - known.keys()),
        changed=[
            name for name in known if name in applied and _digest(known[name]) != applied[name]
        ],
    )


class _Steps:
    """Runs transactions on the schema, one migrator at a time."""

    def __init__(
        self,
        connection: asyncpg.Connection,
        dsn: str,
        say: Callable[[str], None],
        patience: timedelta,
    ) -> None:
        self._connection = connection
        self._dsn = dsn
        self._say = say
        self._patience = patience
        self._blockers = ""

    async def take(self, work: Callable[[Connection], Awaitable[Result]]) -> Result:
        """Return the result of `work` in one transaction; repeated while locks are held."""
        begun = time.monotonic()
        while True:
            try:
                return await self._try(work)
            except CONFLICTS as error:
                if time.monotonic() - begun > self._patience.total_seconds():
                    who = self._blockers or str(error)
                    raise MigrationError(
                        f"gave up after {self._patience.total_seconds():.0f} s of waiting for {who}"
                    ) from None
            await asyncio.sleep(_RETRY_PAUSE_S)

    async def _try(self, work: Callable[[Connection], Awaitable[Result]]) -> Result:
        # Must see what others committed before it got the lock, whatever the database's default.
        async with self._connection.transaction(isolation="read_committed"):
            await self._connection.execute(_TURN)
            pid = await self._connection.fetchval("SELECT pg_backend_pid()")
            async with named(self._dsn, pid, self._blocked):
                await self._connection.execute(f"SELECT pg_advisory_xact_lock({_LOCK})")
                return await work(self._connection)

    def _blocked(self, by: str) -> None:
        if by != self._blockers:
            self._say(f"waiting for {by}")
        self._blockers = by


async def _apply_next(connection: Connection, *, after: bool) -> str | None:
    """Apply the first migration that is due and return its name, or None if none is."""
    known = migrations()
    applied = await _applied(connection)
    for name, digest in applied.items():
        if name not in known:
            raise MigrationError(f"{name} was applied but this version does not have it")
        if _digest(known[name]) != digest:
            raise MigrationError(f"{name} was changed after it was applied")
    due = _due(applied, after=after)
    if not due:
        return None
    name = due[0]
    await connection.execute(_HISTORY)
    await connection.execute(known[name])
    await connection.execute(
        "INSERT INTO schema_migrations (name, sha256) VALUES ($1, $2)", name, _digest(known[name])
    )
    return name


def _due(applied: Container[str], *, after: bool) -> list[str]:
    """Return the missing migrations in order, up to the last of them that does not wait."""
    known = migrations()
    missing = [name for name in known if name not in applied]
    while missing and not after and known[missing[-1]].startswith(AFTER):
        missing.pop()
    return missing


async def _applied(connection: Connection) -> dict[str, str]:
    """Return the digests of the applied migrations, by name."""
    if not await connection.fetchval(_HAS_HISTORY):
        return {}
    rows = await connection.fetch("SELECT name, sha256 FROM schema_migrations")
    return {row["name"]: row["sha256"] for row in rows}


def _digest(text: str) -> str:
    return hashlib.sha256(text.removeprefix(BEFORE).removeprefix(AFTER).encode()).hexdigest()
