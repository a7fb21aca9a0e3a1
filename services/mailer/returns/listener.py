"""Listens for mail servers: opens the addresses, and admits connections as the limits allow."""

import asyncio
import os
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import cast

from services.mailer.returns.answers import Answers
from services.mailer.returns.limits import Connections, Limits, Memory, host_of
from services.mailer.returns.session import LmtpSession, SmtpSession
from shared.process.listen_addresses import ListenAddress

_FULL = b"421 4.7.0 too many connections: try again later\r\n"
_SESSIONS = {"smtp": SmtpSession, "lmtp": LmtpSession}


class NotListening(OSError):
    """An address cannot be listened on; the message is one line."""


class Listener:
    """The open connections, and what each of them needs."""

    def __init__(
        self, answers: Answers, limits: Limits, name: str, tls: ssl.SSLContext | None
    ) -> None:
        """Create it without connections; `name` is ours in greetings."""
        self.connections = Connections(limits)
        self._answers = answers
        self._limits = limits
        self._memory = Memory(limits.memory_bytes)
        self._name = name
        self._tls = tls
        self._open: set[SmtpSession] = set()
        self._none_left = asyncio.Event()
        self._none_left.set()

    @asynccontextmanager
    async def listening(self, addresses: tuple[ListenAddress, ...]) -> AsyncIterator[list[int]]:
        """Listen on the addresses, and yield the ports; 0 was a free one. At the end, stop.

        Mails that are being received are finished. Raises NotListening.
        """
        async with AsyncExitStack() as stack:
            servers = []
            for address in addresses:
                server = await self._open_one(address)
                stack.callback(server.close)
                if address.port is None:
                    stack.callback(partial(Path(address.place).unlink, missing_ok=True))
                servers.append(server)
            yield [each.sockets[0].getsockname()[1] for each in servers if _has_port(each)]
        await self._stop()

    async def _open_one(self, address: ListenAddress) -> asyncio.Server:
        loop = asyncio.get_running_loop()

        def door() -> _Door:
            return _Door(partial(self._enter, address))

        try:
            if address.port is not None:
                return await loop.create_server(door, address.place, address.port)
            server = await loop.create_unix_server(door, address.place)
            # Mail servers deliver as a user of their own: the folder says who may.
            os.chmod(address.place, 0o666)  # noqa: PTH101, S103 - see above
        except OSError as error:
            raise NotListening(f"{address}: {error.strerror}") from None
        return server

    def _enter(self, address: ListenAddress, transport: asyncio.Transport) -> None:
        host = host_of(transport.get_extra_info("peername"))
        if not self.connections.enter(host):
            transport.write(_FULL)
            transport.close()
            return

        def closed(session: SmtpSession) -> None:
            self.connections.leave(host)
            self._open.discard(session)
            if not self._open:
                self._none_left.set()

        session = _SESSIONS[address.protocol](
            self._answers, self._limits, self._memory, self._name, self._tls, closed
        )
        self._open.add(session)
        self._none_left.clear()
        transport.set_protocol(session)
        session.connection_made(transport)

    async def _stop(self) -> None:
        """Close the connections: those that receive a mail once they have replied."""
        for session in tuple(self._open):
            session.stop()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._limits.closing_s):
                await self._none_left.wait()
        for session in tuple(self._open):
            session.abort()


class _Door(asyncio.Protocol):
    """A new connection, until it is admitted or refused."""

    def __init__(self, enter: Callable[[asyncio.Transport], None]) -> None:
        self._enter = enter

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Admit it or refuse it."""
        self._enter(cast("asyncio.Transport", transport))


def _has_port(server: asyncio.Server) -> bool:
    return isinstance(server.sockets[0].getsockname(), tuple)
