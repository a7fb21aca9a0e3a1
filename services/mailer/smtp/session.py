import asyncio
from collections import deque
from dataclasses import dataclass

from services.mailer.smtp.replies import Garbage, Reply, ReplyReader
from shared.deliveries.reasons import ReasonCode

_MOST_UNREAD = 8


class SessionLost(ConnectionError):
    """The session can carry nothing more: closed, reset, hanging, or talking garbage."""

    code = ReasonCode.CONNECTION_LOST


class NoAnswer(SessionLost):
    """The session was silent, or took nothing, for too long."""

    code = ReasonCode.SMARTHOST_TIMEOUT


class Garbled(SessionLost):
    """What came in is no SMTP reply, or was not asked for."""

    code = ReasonCode.SMARTHOST_PROTOCOL_ERROR


class Wire(asyncio.Protocol):
    """What comes in on one connection: its replies in order, and how it ended."""

    def __init__(self) -> None:
        self.ended: str | None = None
        self.lost: type[SessionLost] = SessionLost
        self.replies: deque[Reply] = deque()
        self._reader = ReplyReader()
        self._news = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        """Take in replies until the first that is none."""
        if self.ended is not None:
            return
        try:
            self.replies.extend(self._reader.feed(data))
        except Garbage as garbage:
            self.end(str(garbage), Garbled)
        if len(self.replies) > _MOST_UNREAD:
            self.end("replies to nothing", Garbled)
        self._news.set()

    def eof_received(self) -> None:
        """Count a half-close as the end: a smarthost that closes does not mean to answer."""
        self.end("the smarthost closed the connection")

    def connection_lost(self, exc: Exception | None) -> None:
        """Remember the first cause of the end only."""
        self.end("the connection was reset" if exc else "the smarthost closed the connection")

    def end(self, reason: str, lost: type[SessionLost] = SessionLost) -> None:
        """Give this connection up; a reply that came before can still be read."""
        if self.ended is None:
            self.ended, self.lost = reason, lost
        self._news.set()

    async def reply(self) -> Reply:
        """Wait for the next reply; raises SessionLost when none can come."""
        while not self.replies:
            if self.ended is not None:
                raise self.lost(self.ended)
            self._news.clear()
            await self._news.wait()
        return self.replies.popleft()


@dataclass(frozen=True, slots=True)
class Extensions:
    """What the smarthost announced; `size` is the largest message in octets, 0 = no limit known."""

    pipelining: bool = False
    smtputf8: bool = False
    size: int = 0


class Session:
    """A connection that is past EHLO, TLS and AUTH.

    `transports` are the layers of the connection, the one to write to first.
    """

    def __init__(self, transports: tuple[asyncio.Transport, ...], extensions: Extensions) -> None:
        self.extensions = extensions
        #: Whether commands that were sent ahead of an answer got none.
        self.unheard = False
        self._transports = transports
        self._transport = transports[0]
        self._wire = Wire()
        self._transport.set_protocol(self._wire)

    @property
    def ended(self) -> str | None:
        """Why nothing more can be written, or None."""
        if self._wire.ended is None and self._transport.is_closing():
            return "the connection is closed"
        return self._wire.ended

    @property
    def unread(self) -> Reply | None:
        """The first reply that nobody has asked for yet."""
        return self._wire.replies[0] if self._wire.replies else None

    def write(self, data: bytes) -> None:
        """Hand bytes to the transport, unless the session has ended."""
        if self.ended is None:
            self._transport.write(data)

    async def reply(self, timeout: float) -> Reply:
        """Wait for the next reply; raises SessionLost after `timeout` seconds too."""
        if self._wire.replies:  # of pipelined commands; a timer costs more than all else here
            return self._wire.replies.popleft()
        try:
            async with asyncio.timeout(timeout):
                return await self._wire.reply()
        except TimeoutError:
            self._wire.end("no answer in time")
            raise NoAnswer("no answer in time") from None

    async def drain(self, patience: float, timeout: float) -> None:
        """Wait until every layer's buffer is empty.

        Raises SessionLost after `patience` seconds without progress, or `timeout` in all.
        """
        clock = asyncio.get_running_loop().time
        end, last, since, pause = clock() + timeout, -1, clock(), 0.0
        # The transport of TLS tells of its own buffer only, and no event of the one below.
        while left := sum(layer.get_write_buffer_size() for layer in self._transports):
            if self.ended is not None:
                raise SessionLost(self.ended)
            if left != last:
                last, since = left, clock()
            if clock() > min(end, since + patience):
                raise NoAnswer("the smarthost took no more data")
            await asyncio.sleep(pause)
            pause = min(0.02, pause + 0.001)

    async def settle(self) -> None:
        """Let the loop take in what has already arrived: a reply, a FIN."""
        # The first turn polls the sockets, the second runs what the poll found.
        for _ in range(3):
            await asyncio.sleep(0)

    def abort(self) -> None:
        """Drop the connection at once, with whatever it still buffers and no goodbye."""
        self._wire.end("the session was aborted")
        for transport in reversed(self._transports):
            transport.abort()

    async def leave(self, timeout: float) -> None:
        """Say QUIT, and close within `timeout` seconds."""
        self.write(b"QUIT\r\n")
        try:
            await self.reply(timeout)
        except SessionLost:
            pass
        finally:
            self.abort()
