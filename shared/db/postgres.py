"""The connection pool, and the errors that mean that Postgres is unavailable."""

import asyncio
import ssl
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import date
from functools import partial, wraps
from typing import Any, TypeAlias, cast

import asyncpg

from shared.db.opening import Opening
from shared.db.pool import Pool
from shared.db.pool_metrics import PoolMetrics
from shared.process.sampling import sampling

# The connection of a store function: a separate one or one lent by the pool.
Connection: TypeAlias = asyncpg.Connection | asyncpg.pool.PoolConnectionProxy

# Raised by any query while a migration or a grant is missing, or if a pooler hands out sessions
# without our prepared statements.
LACKING: tuple[type[Exception], ...] = (
    asyncpg.UndefinedTableError,
    asyncpg.UndefinedColumnError,
    asyncpg.UndefinedFunctionError,
    asyncpg.UndefinedObjectError,
    asyncpg.InvalidSchemaNameError,
    asyncpg.InsufficientPrivilegeError,
    asyncpg.InvalidSQLStatementNameError,
    asyncpg.DuplicatePreparedStatementError,
)

# Raised by any query while Postgres is down, restarting, refusing connections, read-only or lacking
# something. The query itself is correct and can be repeated.
UNAVAILABLE: tuple[type[Exception], ...] = (
    *LACKING,
    OSError,
    TimeoutError,
    ssl.SSLError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # raised if a connection is lost at the wrong moment
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

# Raised if concurrent transactions conflict; the same transaction succeeds when it is repeated.
CONFLICTS: tuple[type[Exception], ...] = (
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.LockNotAvailableError,
)


# After so many queries, or so many seconds without one, a connection is closed.
_QUERIES_MAX, _IDLE_S = 50_000, 300.0
# Of the text of a query whose plan a connection keeps.
_CACHED_OCTETS_MAX = 32 * 1024

# Packages, and one of our modules, that work on behalf of their caller.
_ANYBODYS = frozenset(
    {
        "aiohappyeyeballs",
        "asyncio",
        "concurrent",  # the thread that looks for the address of a host
        "contextlib",
        "shared.tcp",
        "socket",
        "ssl",
        "uvloop",
    }
)
_OPENING = frozenset({"shared.db.opening", "shared.db.postgres", "shared.db.session"})


class Refused(ConnectionRefusedError):
    """Postgres refused a connection, for example because of a parameter in the URL."""


def is_away(error: BaseException) -> bool:
    """Return whether `error` means that Postgres is unavailable.

    Errors of lost or silent connections may concern other servers: they count only if asyncpg, or
    the code that opens its connections, raised them.
    """
    if not isinstance(error, OSError):
        return isinstance(error, UNAVAILABLE)
    for frame, _ in reversed(list(traceback.walk_tb(error.__traceback__))):
        module = str(frame.f_globals.get("__name__", ""))
        package = module.partition(".")[0]
        if _ANYBODYS.isdisjoint({package, module}):
            return package == "asyncpg" or module in _OPENING
    return False


def _watched(query: Callable[..., Awaitable[Any]]) -> Any:
    """Return a method of _Session that runs `query` and detects a read-only server."""

    @wraps(query)
    async def watched(session: "_Session", *arguments: Any, **options: Any) -> Any:
        try:
            return await query(session, *arguments, **options)
        except asyncpg.ReadOnlySQLTransactionError:
            if session.expire is not None:
                await session.expire()
            raise

    return watched


class _Session(asyncpg.Connection):
    """A connection of a pool. It runs `expire` if the server refuses a write.

    After a fail-over such a connection leads to the old server, and would stay in use. asyncpg's
    query loggers could detect that, too, but at a cost for each query.
    """

    expire: Callable[[], Awaitable[None]] | None = None

    execute = _watched(asyncpg.Connection.execute)
    executemany = _watched(asyncpg.Connection.executemany)
    fetch = _watched(asyncpg.Connection.fetch)
    fetchmany = _watched(asyncpg.Connection.fetchmany)
    fetchrow = _watched(asyncpg.Connection.fetchrow)
    fetchval = _watched(asyncpg.Connection.fetchval)
    copy_from_query = _watched(asyncpg.Connection.copy_from_query)

    async def reset(self, *, timeout: float | None = None) -> None:
        """Roll back an open transaction; no code leaves settings behind.

        asyncpg's own would cost a round trip for each use of a connection.
        """
        async with asyncio.timeout(timeout):
            await self._reset()


@asynccontextmanager
async def pool(
    dsn: str,
    *,
    name: str,
    size: int,
    by_key: bool = False,
    idle: str = "0",
    metrics: PoolMetrics | None = None,
    replica: bool = False,
) -> AsyncIterator[asyncpg.Pool]:
    """Yield a pool of at most `size` connections with checked sessions (see session.py).

    It connects at first use, so that a process starts while Postgres is unavailable. All
    connections are opened again once one of them finds a read-only server. `by_key` is for callers
    that find rows only by their keys: each statement is planned once per connection, and never
    scans a whole table, even if the table was small when it was planned. A transaction in which
    nothing is asked for as long as `idle` is rolled back, so that a process that hangs, or whose
    machine is gone, does not keep its locks; "0" is for ever. `metrics` show the pool by its name.
    A `replica` need not accept writes.
    """
    counts = metrics or PoolMetrics(None)

    async def init(conn: asyncpg.Connection) -> None:
        cast("_Session", conn).expire = opened.expire_connections
        await _exact_dates(conn)

    async def connect(*arguments: Any, **options: Any) -> asyncpg.Connection:
        try:
            conn = await _open(opening, *arguments, **options)
        except UNAVAILABLE:
            counts.connected(name, opened=False)
            raise
        counts.connected(name, opened=True)
        return conn

    opening = Opening(
        dsn,
        replica=replica,
        plan_cache_mode="force_generic_plan" if by_key else "auto",
        enable_seqscan="off" if by_key else "on",
        idle_in_transaction_session_timeout=idle,
        # Enough to sort ten thousand rows of a report in memory.
        work_mem="32MB",
    )

    opened = await Pool(
        dsn,
        min_size=0,
        max_size=size,
        max_queries=_QUERIES_MAX,
        max_inactive_connection_lifetime=_IDLE_S,
        connect=connect,
        connection_class=_Session,
        record_class=asyncpg.Record,
        loop=None,
        command_timeout=30,
        # asyncpg's 15 KiB are less than the query has that freezes a statement.
        max_cacheable_statement_size=_CACHED_OCTETS_MAX,
        init=init,
        server_settings={"application_name": name},
    )
    try:
        async with sampling(partial(counts.look, name, opened)):
            yield opened
    finally:
        opened.terminate()


async def connect(
    dsn: str,
    *,
    name: str,
    proven: bool = False,
    command_timeout: float | None = None,
    settings: Mapping[str, str] | None = None,
) -> asyncpg.Connection:
    """Return one checked session (see shared/db/session.py), for callers that need no pool.

    Unless `proven`, it briefly opens a second one, to detect a pooler that shares one session.
    """
    opening = Opening(dsn, proven=proven, replica=False, **(settings or {}))
    options = {"command_timeout": command_timeout, "server_settings": {"application_name": name}}
    return await _open(opening, dsn, **options)


async def _open(opening: Opening, *arguments: Any, **options: Any) -> asyncpg.Connection:
    try:
        return await opening(*arguments, **options)
    except UNAVAILABLE:
        raise
    except asyncpg.PostgresError as error:
        raise Refused(f"{type(error).__name__}: {error}") from error


async def _exact_dates(conn: asyncpg.Connection) -> None:
    """Pass dates as text: asyncpg's codec turns the first and the last date into infinity."""
    await conn.set_type_codec(
        "date", schema="pg_catalog", encoder=date.isoformat, decoder=date.fromisoformat
    )
