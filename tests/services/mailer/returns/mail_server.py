"""The other side of a listener for returned mail: a mail server that delivers to it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal
from uuid import UUID

import asyncpg

from shared.mail.return_path import ReturnPaths
from tests.shared.deliveries.conftest import submit
from tests.shared.returns.mails import failure, report

SECRET = "a secret of the tests, long enough"
PATHS = ReturnPaths(SECRET, "bounces.example")
GONE = report(failure("5.1.1", "550 5.1.1 user unknown")).replace(b"\n", b"\r\n")


async def handed_over(pool: asyncpg.Pool, email: str = "ana@client.example") -> UUID:
    """Return the delivery of a mail that was handed over."""
    async with pool.acquire() as conn:
        [delivery] = await submit(conn, [email])
        await conn.execute(
            "UPDATE deliveries SET state = 'sent', sent_at = now() WHERE id = $1", delivery
        )
    return delivery


async def path_of_one(pool: asyncpg.Pool, email: str = "ana@client.example") -> str:
    """Return the return path of a mail that was handed over."""
    return PATHS.address(await handed_over(pool, email))


class MailServer:
    """A connection to the listener."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def reply(self) -> str:
        """Return the next reply, its lines joined; an empty text if the connection is closed."""
        lines: list[str] = []
        while not lines or lines[-1][3:4] == "-":
            async with asyncio.timeout(180):
                line = (await self.reader.readline()).decode().rstrip("\r\n")
            if not line:
                break
            lines.append(line)
        return "\n".join(lines)

    async def say(self, line: str | bytes) -> str:
        """Send a command and return its reply."""
        self.send(line)
        return await self.reply()

    def send(self, line: str | bytes) -> None:
        """Send a command."""
        self.writer.write((line if isinstance(line, bytes) else line.encode()) + b"\r\n")

    async def begin(self, *recipients: str, sender: str = "") -> list[str]:
        """Name the sender and the recipients of a mail; return the replies about these."""
        assert (await self.say(f"MAIL FROM:<{sender}>"))[:3] == "250"
        return [await self.say(f"RCPT TO:<{each}>") for each in recipients]

    async def content(self, content: bytes = GONE) -> str:
        """Send the content of a mail and return the first reply."""
        assert (await self.say("DATA"))[:3] == "354"
        return await self.say(content + b".")

    async def deliver(self, *recipients: str, content: bytes = GONE) -> str:
        """Deliver a mail and return the reply to its content."""
        assert {each[:3] for each in await self.begin(*recipients)} == {"250"}
        return await self.content(content)


@asynccontextmanager
async def connected(
    port: int, protocol: Literal["smtp", "lmtp"] = "smtp", *, address: str = "127.0.0.1"
) -> AsyncIterator[MailServer]:
    """Connect from an address of this machine, and greet."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0))
    peer = MailServer(reader, writer)
    try:
        assert (await peer.reply())[:3] == "220"
        greeting = {"smtp": "EHLO", "lmtp": "LHLO"}[protocol]
        assert (await peer.say(f"{greeting} mx.client.example"))[:3] == "250"
        yield peer
    finally:
        writer.close()
