"""The connection pool, and what it looks like when Postgres is not there."""

import ssl
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from typing import TypeAlias

import asyncpg

# What a store function takes: a connection of its own or one lent by the pool.
Connection: TypeAlias = asyncpg.Connection | asyncpg.pool.PoolConnectionProxy

# Raised by any query while Postgres is away, restarting, refusing connections or read-only.
UNAVAILABLE: tuple[type[Exception], ...] = (
    OSError,
    TimeoutError,
    ssl.SSLError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # what a connection lost at the wrong moment ends in
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.QueryCanceledError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.DiskFullError,
    asyncpg.PostgresIOError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
)

# Raised where other transactions were in the way and one had to give in; asked again it works.
CONFLICTS: tuple[type[Exception], ...] = (
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.LockNotAvailableError,
)


# At work for whoever called them.
_ANYBODYS = frozenset({"asyncio", "contextlib", "socket", "ssl", "uvloop"})


def is_away(error: BaseException) -> bool:
    """Return whether `error` says that Postgres is away.

    A lost connection, or one that keeps silent, may be anybody's: these errors count if asyncpg
    was the one that met them.
    """
    if not isinstance(error, OSError):
        return isinstance(error, UNAVAILABLE)
    for frame, _ in reversed(list(traceback.walk_tb(error.__traceback__))):
        package = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        if package not in _ANYBODYS:
            return package == "asyncpg"
    return False


@asynccontextmanager
async def pool(
    dsn: str, *, name: str, size: int, by_key: bool = False
) -> AsyncIterator[asyncpg.Pool]:
    """Yield a pool of at most `size` connections that commits durably and speaks UTC.

    It connects at first use, so that a process starts while Postgres is still away. `by_key` is for
    those who look for rows by their keys alone: a statement is planned once for a connection, and
    reads no table as a whole, however small that was when it was planned.
    """
    opened = await asyncpg.create_pool(
        dsn,
        min_size=0,
        max_size=size,
        timeout=5,
        command_timeout=30,
        reset=_reset,
        init=_exact_dates,
        server_settings={
            "application_name": name,
            "synchronous_commit": "on",
            "timezone": "UTC",
            "datestyle": "ISO",
            "extra_float_digits": "1",
            "jit": "off",
            "plan_cache_mode": "force_generic_plan" if by_key else "auto",
            "enable_seqscan": "off" if by_key else "on",
            # Ten thousand rows of a report are sorted in memory.
            "work_mem": "32MB",
        },
    )
    try:
        yield opened
    finally:
        opened.terminate()


async def _reset(_: asyncpg.Connection) -> None:
    """Send nothing: an open transaction is rolled back by then, and nobody leaves settings behind.

    asyncpg's own would cost a round trip for each use of a connection.
    """


async def _exact_dates(conn: asyncpg.Connection) -> None:
    """Pass dates as text: asyncpg's own codec turns the first and the last one into infinity."""
    await conn.set_type_codec(
        "date", schema="pg_catalog", encoder=date.isoformat, decoder=date.fromisoformat
    )
