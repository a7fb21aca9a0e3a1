"""Opens the connections of a pool."""

import asyncio
from collections.abc import Callable
from typing import Any, cast
from urllib.parse import urlsplit

import asyncpg

from shared import tcp
from shared.db import session
from shared.process.health import Unwell

_OPEN_WAIT_S = 5.0  # seconds until a connection is open and checked


class Silent(Unwell, TimeoutError):
    """No connection was opened in time."""


class Opening:
    """Opens connections for a pool: to an address that answers, each with a session of its own.

    Raises session.Unfit if the server or its session is not usable.
    """

    def __init__(
        self, dsn: str, *, proven: bool = False, replica: bool = False, **settings: str
    ) -> None:
        """Create it; if `proven`, sessions are known not to be shared.

        A `replica` need not accept writes.
        """
        self._begin = session.begin_reading if replica else session.begin
        self._stands = session.stands_reading if replica else session.stands
        self._settings = settings
        hosts = urlsplit(dsn).netloc.rpartition("@")[2].count(",") + 1
        # So that half of the time is left for the host that answers.
        self._share = _OPEN_WAIT_S / (2 * hosts) if hosts > 1 else _OPEN_WAIT_S
        # Of several hosts the one that accepts writes; asyncpg checks each of them.
        several = hosts > 1 and not replica and "target_session_attrs" not in dsn
        self._wanted = {"target_session_attrs": "read-write"} if several else {}
        self._first = asyncio.Lock()
        self._proven = proven

    async def __call__(self, *arguments: Any, **options: Any) -> asyncpg.Connection:
        """Return a new connection; called by the pool with the arguments of asyncpg.connect."""
        options |= self._wanted
        try:
            if self._proven:
                return await self._open(arguments, options)
            async with self._first:
                return await self._prove(arguments, options)
        except TimeoutError:
            raise Silent(f"no connection within {_OPEN_WAIT_S:g} s") from None

    async def _prove(
        self, arguments: tuple[Any, ...], options: dict[str, Any]
    ) -> asyncpg.Connection:
        """Open a connection and a second one, to detect a pooler that shares one session."""
        conn = await self._open(arguments, options)
        try:
            if not self._proven:
                beside = await self._open(arguments, options)
                try:
                    await self._stands(conn)
                finally:
                    await beside.close()
                self._proven = True
        except BaseException:
            conn.terminate()
            raise
        return conn

    async def _open(
        self, arguments: tuple[Any, ...], options: dict[str, Any]
    ) -> asyncpg.Connection:
        loop = cast("asyncio.AbstractEventLoop", _EachAddress(options.get("loop"), self._share))
        async with asyncio.timeout(_OPEN_WAIT_S):
            conn: asyncpg.Connection = await asyncpg.connect(
                *arguments, **{**options, "loop": loop}
            )
            try:
                await self._begin(conn, self._settings)
            except BaseException:
                conn.terminate()
                raise
        return conn


class _EachAddress:
    """The running event loop for asyncpg, except that it tries each address of a host."""

    def __init__(self, loop: asyncio.AbstractEventLoop | None, share: float) -> None:
        self._loop = loop or asyncio.get_running_loop()
        self._share = share

    def __getattr__(self, name: str) -> Any:
        # Stored, because every query uses the loop.
        found = self.__dict__[name] = getattr(self._loop, name)
        return found

    async def create_connection(
        self, protocol: Callable[[], asyncio.BaseProtocol], host: str, port: int, **options: Any
    ) -> tuple[asyncio.BaseTransport, asyncio.BaseProtocol]:
        async with asyncio.timeout(self._share):
            opened = await tcp.connected(host, port)
        if "ssl" in options:
            options.setdefault("server_hostname", host)
        return await self._loop.create_connection(protocol, sock=opened, **options)
