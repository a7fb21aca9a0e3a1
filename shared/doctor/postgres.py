"""Checks of Postgres: whether it can be reached, its version, connections, migrations and clock."""

import ssl
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

import asyncpg

from shared.db import migrate, postgres, sql
from shared.db.databases import Database
from shared.db.session import Unfit
from shared.doctor import rights, triggers
from shared.doctor.checkup import Checkup
from shared.doctor.finding import Said, failure, ok, warning

_QUERIES = sql.load("shared.doctor")
# What docs/postgres.md asks for.
_OLDEST_MAJOR = 15
_MANY_SHARE = 0.9  # of the connections
# A difference that confuses readers of logs, and one with which sessions and TLS may fail.
_CLOCK_WARNING_S, _CLOCK_FAILURE_S = 2.0, 60.0
# What to do if there is no connection, by the kind of the error.
_REMEDIES: tuple[tuple[type[Exception], str], ...] = (
    (
        asyncpg.InvalidAuthorizationSpecificationError,
        "correct user and password in DATABASE_URL, see Roles of the database in docs/postgres.md",
    ),
    (
        asyncpg.InvalidCatalogNameError,
        "create the database, or correct its name in DATABASE_URL",
    ),
    (asyncpg.InsufficientPrivilegeError, "grant the role CONNECT on the database"),
    (asyncpg.TooManyConnectionsError, "raise max_connections, or the role's CONNECTION LIMIT"),
    (Unfit, "see the conditions in docs/postgres.md"),
    (ssl.SSLError, "correct sslmode and the certificates in DATABASE_URL"),
)
_SESSION = {
    "statement_timeout": "10s",
    "lock_timeout": "3s",
}

Asking = Callable[[asyncpg.Connection], Awaitable[Said | Sequence[Said]]]


@dataclass(frozen=True)
class Needs:
    """What a program needs of Postgres: rights, connections, and further checks by name."""

    rights: rights.Needed
    connections: int
    setting: str = "the number of processes"
    further: Mapping[str, Asking] = field(default_factory=dict)


async def examine(checkup: Checkup, database: Database, needs: Needs) -> None:
    """Check a database, on one connection; if there is none, all other checks are left out."""
    part = database.label("postgres")
    opened: list[asyncpg.Connection] = []

    async def reach() -> Said:
        try:
            conn = await postgres.connect(
                database.url, name="ledgerpost-doctor", command_timeout=10, settings=_SESSION
            )
            # Only now: a server that takes no writes is refused before.
            await conn.execute("SET default_transaction_read_only = on")
        except postgres.UNAVAILABLE as error:
            return failure(_text(error), _remedy(error))
        opened.append(conn)
        return ok("accepts connections and writes, in UTF-8, with a session for each connection")

    await checkup.check(f"{part}.reachable", reach())
    if not opened:
        return
    [conn] = opened
    checks: dict[str, Asking] = {
        "version": _version,
        "connections": lambda conn: _connections(conn, needs),
        "rights": lambda conn: rights.check(conn, needs.rights),
        "migrations": _migrations,
        "triggers": triggers.check,
        "clock": _clock,
        **needs.further,
    }
    try:
        for name, ask in checks.items():
            await checkup.check(f"{part}.{name}", ask(conn))
    finally:
        # To close it in good order would wait for an answer.
        conn.terminate()


async def _version(conn: asyncpg.Connection) -> Said:
    version = conn.get_server_version()
    found = f"PostgreSQL {version.major}.{version.micro or version.minor}"
    if version.major < _OLDEST_MAJOR:
        return failure(found, f"upgrade it to PostgreSQL {_OLDEST_MAJOR} or newer")
    return ok(found)


async def _connections(conn: asyncpg.Connection, needs: Needs) -> Said:
    [row] = await conn.fetch(_QUERIES.connections)
    limits = (row["of_server"], row["of_role"], row["of_database"])
    # -1 is no limit.
    most = min(limit for limit in limits if limit >= 0)
    found = (
        f"the process opens up to {needs.connections} of {most} connections;"
        f" {row['used']} of {row['of_server']} on this server are in use now"
    )
    if most < needs.connections:
        return failure(
            found,
            "raise max_connections, or the CONNECTION LIMIT of the role or the database,"
            f" or lower {needs.setting}",
        )
    if row["used"] > _MANY_SHARE * row["of_server"]:
        return warning(found, "raise max_connections, or see in pg_stat_activity who has that many")
    return ok(found)


async def _migrations(conn: asyncpg.Connection) -> list[Said]:
    history = await migrate.history(conn)
    findings = []
    if history.pending:
        findings.append(
            failure(
                f"pending: {', '.join(history.pending)}",
                "run `ledgerpost-api migrate` as the owner of the tables",
            )
        )
    if history.unknown:
        findings.append(
            failure(
                f"applied, but not known to this version: {', '.join(history.unknown)}",
                "use the version of Ledgerpost that applied them, or a newer one",
            )
        )
    if history.changed:
        findings.append(
            failure(
                f"changed after they were applied: {', '.join(history.changed)}",
                "install an unchanged version of Ledgerpost; see docs/upgrade.md",
            )
        )
    return findings or [ok(f"all {len(history.applied)} are applied")]


async def _clock(conn: asyncpg.Connection) -> Said:
    before = time.time()
    theirs = (await conn.fetchval(_QUERIES.clock)).timestamp()
    after = time.time()
    # The answer was made at some time between the two.
    apart = max(before - theirs, theirs - after, 0.0)
    found = f"the clocks of this machine and of Postgres are at least {apart:.1f} s apart"
    remedy = "synchronise both clocks, with chrony or systemd-timesyncd for example"
    if apart > _CLOCK_FAILURE_S:
        return failure(found, remedy)
    if apart > _CLOCK_WARNING_S:
        return warning(found, remedy)
    return ok("the clocks of this machine and of Postgres agree")


def _text(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]


def _remedy(error: Exception) -> str:
    for kind, remedy in _REMEDIES:
        if isinstance(error, kind):
            return remedy
    return "start Postgres, or correct host and port in DATABASE_URL; see also firewalls"
