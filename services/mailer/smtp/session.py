"""A session with the smarthost, after EHLO, TLS and AUTH."""

import asyncio
from collections import deque
from dataclasses import dataclass

from services.mailer.smtp.replies import MalformedReply, Reply, ReplyReader
from shared.deliveries.reasons import ReasonCode

_UNREAD_MAX = 8


class SessionLost(ConnectionError):
    """The session can carry nothing more: closed, reset, silent, or with malformed replies."""

    code = ReasonCode.CONNECTION_LOST


class NoAnswer(SessionLost):
    """The session was silent, or took nothing, for too long."""

    code = ReasonCode.SMARTHOST_TIMEOUT


class Garbled(SessionLost):
    """What came in is no SMTP reply, or was not asked for."""

    code = ReasonCode.SMARTHOST_PROTOCOL_ERROR


class SessionProtocol(asyncio.Protocol):
    """Reads the replies of one connection in order, and notes why it ended."""

    def __init__(self) -> None:
        self.ended: str | None = None
        self.lost: type[SessionLost] = SessionLost
        self.replies: deque[Reply] = deque()
        self._reader = ReplyReader()
        self._news = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        """Read replies, up to the first malformed one."""
        if self.ended is not None:
            return
        try:
            self.replies.extend(self._reader.feed(data))
        except MalformedReply as garbage:
            self.end(str(garbage), Garbled)
        if len(self.replies) > _UNREAD_MAX:
            self.end("replies to nothing", Garbled)
        self._news.set()

    def eof_received(self) -> None:
        """Take a half-close as the end: a smarthost that closes will not reply."""
        self.end("the smarthost closed the connection")

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that the connection ended; the first cause of several counts."""
        self.end("the connection was reset" if exc else "the smarthost closed the connection")

    def end(self, reason: str, lost: type[SessionLost] = SessionLost) -> None:
        """Give this connection up; a reply that came before can still be read."""
        if self.ended is None:
            self.ended, self.lost = reason, lost
        self._news.set()

    async def reply(self) -> Reply:
        """Return the next reply. Raises SessionLost if none can come any more."""
        while not self.replies:
            if self.ended is not None:
                raise self.lost(self.ended)
            self._news.clear()
            await self._news.wait()
        return self.replies.popleft()


@dataclass(frozen=True, slots=True)
class Extensions:
    """Extensions of the smarthost; `size` is its largest message in octets (0: unknown)."""

    pipelining: bool = False
    smtputf8: bool = False
    size: int = 0


class Session:
    """A connection that is past EHLO, TLS and AUTH.

    `transports` are the layers of the connection, the one to write to first.
    """

    def __init__(self, transports: tuple[asyncio.Transport, ...], extensions: Extensions) -> None:
        self.extensions = extensions
        #: Whether commands that were sent ahead, as PIPELINING allows, got no reply.
        self.ignored_pipelining = False
        self._transports = transports
        self._transport = transports[0]
        self._protocol = SessionProtocol()
        self._transport.set_protocol(self._protocol)

    @property
    def ended(self) -> str | None:
        """Why nothing more can be written, or None."""
        if self._protocol.ended is None and self._transport.is_closing():
            return "the connection is closed"
        return self._protocol.ended

    @property
    def certificate(self) -> bytes | None:
        """The certificate of the smarthost in DER, verified or not; None without TLS."""
        layer = self._transport.get_extra_info("ssl_object")
        return layer.getpeercert(binary_form=True) if layer else None

    @property
    def unread(self) -> Reply | None:
        """The first reply that was not read yet."""
        return self._protocol.replies[0] if self._protocol.replies else None

    def lost(self) -> SessionLost:
        """Return the error of a session that has ended, with the reason and its code."""
        return self._protocol.lost(self.ended)

    def write(self, data: bytes) -> None:
        """Write bytes, unless the session has ended."""
        if self.ended is None:
            self._transport.write(data)

    async def reply(self, timeout: float) -> Reply:
        """Return the next reply. Raises SessionLost, also after `timeout` seconds."""
        if self._protocol.replies:  # of pipelined commands; a timer costs more than all else here
            return self._protocol.replies.popleft()
        try:
            async with asyncio.timeout(timeout):
                return await self._protocol.reply()
        except TimeoutError:
            self._protocol.end("no answer in time", NoAnswer)
            raise NoAnswer("no answer in time") from None

    async def drain(self, stall: float, timeout: float) -> None:
        """Wait until every layer's buffer is empty.

        Raises SessionLost after `stall` seconds without progress, or `timeout` in all.
        """
        clock = asyncio.get_running_loop().time
        end, last, since, pause = clock() + timeout, -1, clock(), 0.0
        # The transport of TLS reports its own buffer only, and no event of the one below.
        while left := sum(layer.get_write_buffer_size() for layer in self._transports):
            if self.ended is not None:
                raise self.lost()
            if left != last:
                last, since = left, clock()
            if clock() > min(end, since + stall):
                raise NoAnswer("the smarthost took no more data")
            await asyncio.sleep(pause)
            pause = min(0.02, pause + 0.001)

    async def settle(self) -> None:
        """Let the event loop read what has already arrived: a reply, a FIN."""
        # The first turn polls the sockets, the second runs what the poll found.
        for _ in range(3):
            await asyncio.sleep(0)

    def abort(self) -> None:
        """Drop the connection at once, with what is still in its buffers, and without QUIT."""
        self._protocol.end("the session was aborted")
        for transport in reversed(self._transports):
            transport.abort()

    async def quit(self, timeout: float) -> None:
        """Send QUIT, and close within `timeout` seconds."""
        self.write(b"QUIT\r\n")
        try:
            await self.reply(timeout)
        except SessionLost:
            pass
        finally:
            self.abort()
