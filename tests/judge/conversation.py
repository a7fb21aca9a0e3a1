"""One connection to the judge."""

from __future__ import annotations

import asyncio
import base64
import binascii
import re
import socket
import struct
from typing import TYPE_CHECKING

from tests.judge.script import Accept, Action, Delay, Drop, Flood, HalfClose, Hang, Reset, Say, Wait

if TYPE_CHECKING:
    from tests.judge.script import Step
    from tests.judge.server import Judge

_PATH = re.compile(r"(?:FROM|TO):\s*<([^>]*)>", re.IGNORECASE)
_END = b"\r\n.\r\n"


class Over(ConnectionError):
    """This connection is finished."""


class Conversation:
    """The server side of RFC 5321, unless a rule of the judge applies."""

    def __init__(
        self, judge: Judge, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.judge, self.reader, self.writer = judge, reader, writer
        self.buffer = bytearray()
        self.sender: str | None = None
        self.recipient: str | None = None
        self.encrypted = judge.implicit_tls
        self.user: str | None = None
        self.took = False

    async def run(self) -> None:
        """Talk until either side is done."""
        if self.judge.receive_buffer is not None:
            raw = self.writer.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.judge.receive_buffer)
        if self.judge.sessions > self.judge.most_allowed:
            return await self.say("421 4.7.0 too many connections")
        await self.step("connect", "220 judge ESMTP")
        while True:
            line = await self.line()
            self.judge.commands.append(line)
            if self.judge.one_a_packet:
                self.buffer.clear()
            verb, _, argument = line.partition(" ")
            handler = getattr(self, f"on_{verb.lower()}", None)
            if handler is None:
                await self.say("500 5.5.2 what?")
            else:
                await handler(argument)

    async def on_ehlo(self, _: str) -> None:
        self.sender = self.recipient = None
        offers = ["judge"]
        if self.judge.pipelining:
            offers.append("PIPELINING")
        if self.judge.smtputf8:
            offers += ["8BITMIME", "SMTPUTF8"]
        if self.judge.size:
            offers.append(f"SIZE {self.judge.size}")
        if self.judge.tls is not None and not self.encrypted:
            offers.append("STARTTLS")
        if self.judge.users is not None:
            offers.append("AUTH PLAIN LOGIN")
        lines = [f"250-{offer}" for offer in offers[:-1]] + [f"250 {offers[-1]}"]
        await self.step("ehlo", "\r\n".join(lines))

    async def on_helo(self, _: str) -> None:
        await self.step("helo", "250 judge")

    async def on_starttls(self, _: str) -> None:
        if self.judge.tls is None:
            await self.say("502 5.5.1 no TLS here")
            return
        if await self.step("starttls", "220 go on"):
            await self.writer.start_tls(self.judge.tls)
            self.encrypted = True

    async def on_auth(self, argument: str) -> None:
        method, _, first = argument.partition(" ")
        if method.upper() == "PLAIN":
            parts = self.unbase64(first or await self.ask("")).split("\0")
            user, password = (*parts, "", "")[1:3]
        else:
            user = self.unbase64(first or await self.ask("Username:"))
            password = self.unbase64(await self.ask("Password:"))
        if (self.judge.users or {}).get(user) != password:
            await self.say("535 5.7.8 wrong user or password")
        elif await self.step("auth", "235 2.7.0 welcome"):
            self.user = user

    async def on_mail(self, argument: str) -> None:
        path = _PATH.match(argument)
        if self.judge.users is not None and self.user is None:
            await self.say("530 5.7.0 who are you?")
        elif path is None or self.sender is not None:
            await self.say("503 5.5.1 bad MAIL")
        elif await self.step("mail", "250 2.1.0 sender ok"):
            self.sender = path[1]

    async def on_rcpt(self, argument: str) -> None:
        path = _PATH.match(argument)
        if self.sender is None or path is None:
            await self.say("503 5.5.1 bad RCPT")
        elif await self.step("rcpt", "250 2.1.5 recipient ok", path[1]):
            self.recipient = path[1]

    async def on_rset(self, _: str) -> None:
        self.sender = self.recipient = None
        await self.step("rset", "250 2.0.0 forgotten")

    async def on_noop(self, _: str) -> None:
        await self.say("250 2.0.0 ok")

    async def on_quit(self, _: str) -> None:
        await self.say("221 2.0.0 bye")
        raise Over

    async def on_data(self, _: str) -> None:
        lenient = self.judge.data_without_recipient
        if self.sender is None or (self.recipient is None and not lenient):
            await self.say("554 5.5.1 no valid recipients")
            return
        if not await self.step("data", "354 go on", self.recipient):
            return
        sender, recipient = self.sender, self.recipient
        data = await self.message(recipient or "")
        self.sender = self.recipient = None
        self.took = False
        if recipient is None:
            await self.say("554 5.5.1 no valid recipients")
        else:
            await self.step("dot", "250 2.0.0 taken", recipient, (sender, data))

    async def message(self, recipient: str) -> bytes:
        """Read up to CRLF.CRLF and undo the dot-stuffing."""
        try:
            self.buffer[:0] = b"\r\n"  # 354's line end counts as the one before a lone dot
            acted = False
            while (end := self.buffer.find(_END)) < 0:
                if len(self.buffer) > 2 and not acted:
                    acted = True
                    await self.step("body", None, recipient)
                await self.more()
            raw = bytes(self.buffer[2 : end + 2])
            del self.buffer[: end + len(_END)]
        except (ConnectionError, asyncio.CancelledError):
            self.judge.abort(recipient, bytes(self.buffer[2:]))
            raise
        return (b"\r\n" + raw).replace(b"\r\n.", b"\r\n")[2:]

    async def step(
        self,
        step: Step,
        reply: str | None,
        recipient: str | None = None,
        mail: tuple[str, bytes] | None = None,
    ) -> bool:
        """Do what the script demands here, or send `reply`; return False if the script replied.

        A mail is logged before its reply is written.
        """
        said = False
        for action in self.judge.actions(step, recipient or self.recipient):
            if isinstance(action, Accept):
                assert mail is not None, "Accept belongs to the dot"
                self.take(mail, recipient)
            elif isinstance(action, Say):
                text = action.text.encode() if isinstance(action.text, str) else action.text
                self.writer.write(text if action.raw else text + b"\r\n")
                await self.writer.drain()
                said = True
            else:
                await self.misbehave(action)
        if said:
            return False
        if reply is not None:
            if mail is not None and not self.took:
                self.take(mail, recipient)
            await self.say(reply)
        return True

    def take(self, mail: tuple[str, bytes], recipient: str | None) -> None:
        self.judge.accept(mail[0], recipient or "", mail[1])
        self.took = True

    async def misbehave(self, action: Action) -> None:
        match action:
            case Delay(seconds):
                await asyncio.sleep(seconds)
            case Wait(event):
                await event.wait()
            case Hang(reading):
                await self.hang(reading=reading)
            case Drop():
                if self.writer.can_write_eof():
                    self.writer.write_eof()
                raise Over
            case Reset():
                raw = self.writer.get_extra_info("socket")
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                raise Over
            case HalfClose():
                self.writer.write_eof()
                await self.hang(reading=True)
            case Flood(unit, limit):
                for _ in range(0, limit, len(unit)):
                    self.writer.write(unit)
                    await self.writer.drain()
            case _:
                raise AssertionError(action)

    async def hang(self, *, reading: bool) -> None:
        if not reading:
            self.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a socket's
            await asyncio.Event().wait()
        while True:
            await self.more()

    async def line(self) -> str:
        while (end := self.buffer.find(b"\r\n")) < 0:
            await self.more()
        line = bytes(self.buffer[:end]).decode()
        del self.buffer[: end + 2]
        return line

    async def more(self) -> None:
        data = await self.reader.read(65536)
        if not data:
            raise Over
        self.buffer += data

    async def say(self, line: str) -> None:
        self.writer.write(line.encode() + b"\r\n")
        await self.writer.drain()

    async def ask(self, prompt: str) -> str:
        await self.say(f"334 {base64.b64encode(prompt.encode()).decode()}")
        return await self.line()

    @staticmethod
    def unbase64(text: str) -> str:
        try:
            return base64.b64decode(text).decode()
        except (binascii.Error, UnicodeDecodeError):
            return ""
