"""The judge is reliable, and no supported smarthost accepts a mail without the dot."""

import asyncio
import smtplib
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from services.mailer.smtp.outcomes import Failed, GateLost, Sent
from services.mailer.smtp.pool import SessionPool
from services.mailer.smtp.smarthost import Smarthost
from tests.judge.mail import PATIENT, SEND, Gate, envelope
from tests.judge.postfix import postfix, unavailable
from tests.judge.script import Accept, Drop, Say
from tests.judge.server import Judge
from tests.servers import absent

BODY = b"X-Ledgerpost-Send: s\r\n\r\nbody\r\n"


def talk(port: int, last: Callable[[socket.socket], None], body: bytes = BODY) -> bytes:
    """Hand over a body up to its dot, end as `last` does, and return what came after 354."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as peer:
        replies = peer.makefile("rb")
        replies.readline()
        for command in (b"HELO me", b"MAIL FROM:<a@b.org>", b"RCPT TO:<c@d.org>", b"DATA"):
            peer.sendall(command + b"\r\n")
            answer = replies.readline()
        assert answer.startswith(b"354")
        peer.sendall(body)
        last(peer)
        try:
            peer.shutdown(socket.SHUT_WR)
            return replies.read()
        except OSError:
            return b""


def close(peer: socket.socket) -> None:
    peer.close()


def half_close(peer: socket.socket) -> None:
    peer.shutdown(socket.SHUT_WR)


def say_quit(peer: socket.socket) -> None:
    peer.sendall(b"QUIT\r\n")


def say_rset_and_quit(peer: socket.socket) -> None:
    peer.sendall(b"RSET\r\nQUIT\r\n")


def reset(peer: socket.socket) -> None:
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()


def end_of_file_after_half_a_dot(peer: socket.socket) -> None:
    peer.sendall(b".")


def end_of_file_after_a_dot_and_cr(peer: socket.socket) -> None:
    peer.sendall(b".\r")


def say_the_dot(peer: socket.socket) -> None:
    peer.sendall(b".\r\n")


ENDS = [
    close,
    half_close,
    say_quit,
    say_rset_and_quit,
    reset,
    end_of_file_after_half_a_dot,
    end_of_file_after_a_dot_and_cr,
]
# Where and how many mails a smarthost has taken, once it has seen the end of all connections.
Taken = Callable[[], Awaitable[int]]
Served = Callable[[], AbstractAsyncContextManager[tuple[int, Taken]]]


@asynccontextmanager
async def the_judge() -> AsyncIterator[tuple[int, Taken]]:
    async with Judge() as judge:

        async def taken() -> int:
            await judge.until(lambda j: j.connections > 0 and j.sessions == 0)
            return len(judge.accepted)

        yield judge.port, taken


class Inbox:
    def __init__(self) -> None:
        self.mails: list[bytes] = []

    async def handle_DATA(  # noqa: N802 - aiosmtpd looks for this name
        self, server: SMTP, session: Session, mail: Envelope
    ) -> str:
        content = mail.content
        assert isinstance(content, bytes)
        self.mails.append(content)
        return "250 taken"


@asynccontextmanager
async def aiosmtpd() -> AsyncIterator[tuple[int, Taken]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    inbox = Inbox()
    controller = Controller(inbox, hostname="127.0.0.1", port=port)
    controller.start()

    async def taken() -> int:
        # A mail of another connection comes out behind whatever this one would have left.
        await asyncio.to_thread(talk, port, say_the_dot, b"last\r\n")
        assert inbox.mails[-1] == b"last\r\n"
        return len(inbox.mails) - 1

    try:
        yield port, taken
    finally:
        controller.stop()


SMARTHOSTS = [the_judge, aiosmtpd]


@pytest.mark.parametrize("smarthost", SMARTHOSTS)
@pytest.mark.parametrize("end", ENDS)
async def test_a_smarthost_takes_nothing_without_the_dot(
    smarthost: Served,
    end: Callable[[socket.socket], None],
) -> None:
    async with smarthost() as (port, taken):
        after = await asyncio.to_thread(talk, port, end)
        assert b"250" not in after
        await asyncio.sleep(0.02)
        assert await taken() == 0


@pytest.mark.parametrize("smarthost", SMARTHOSTS)
async def test_a_smarthost_takes_the_same_mail_with_the_dot(
    smarthost: Served,
) -> None:
    async with smarthost() as (port, taken):
        assert (await asyncio.to_thread(talk, port, say_the_dot)).startswith(b"250")
        assert await taken() == 1


async def test_postfix_takes_nothing_without_the_dot() -> None:
    if (reason := unavailable()) is not None:
        absent(reason)
    async with postfix() as (port, taken):
        for end in ENDS:
            assert b"250" not in await asyncio.to_thread(talk, port, end), end
        sessions = SessionPool(Smarthost("127.0.0.1", port), 1, PATIENT, "client.test")
        assert await sessions.hand_over(envelope("a@d.org"), Gate(answer=False)) == GateLost()
        outcome = await sessions.hand_over(envelope("a@elsewhere.org"), Gate())
        assert isinstance(outcome, Failed)
        assert "554 5.7.1" in str(outcome.reply)
        assert await taken() == 0
        assert isinstance(await sessions.hand_over(envelope("b@d.org"), Gate()), Sent)
        assert isinstance(await sessions.hand_over(envelope("c@d.org"), Gate()), Sent)
        await sessions.close()
        assert await taken() == 2


@pytest.mark.parametrize(
    "almost", [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r\n", b"\r\n.\r", b"\r\n..\r\n", b". \r\n"]
)
async def test_the_judge_takes_nothing_for_almost_a_dot(almost: bytes) -> None:
    async with Judge() as judge:
        await asyncio.to_thread(talk, judge.port, close, b"body" + almost)
        await judge.until(lambda j: j.connections > 0 and j.sessions == 0)
        assert judge.accepted == []
        assert [aborted.data for aborted in judge.aborted] == [b"body" + almost]


async def test_the_judge_agrees_with_another_client() -> None:
    def send(port: int) -> None:
        with smtplib.SMTP("127.0.0.1", port) as client:
            client.sendmail("a@b.org", ["c@d.org", "e@d.org"][:1], envelope(text=".\n..x").data)

    async with Judge() as judge:
        await asyncio.to_thread(send, judge.port)
        await asyncio.to_thread(send, judge.port)
        assert judge.counts() == {(str(SEND), "c@d.org"): 2}
        assert judge.accepted[0].data.endswith(b"\r\n\r\n.\r\n..x\r\n")
        assert judge.accepted[0].message["X-Ledgerpost-Send"] == str(SEND)


async def test_a_rule_counts_and_names_its_recipient() -> None:
    async with Judge() as judge:
        judge.on("dot", Accept(), Drop(), recipient="c@d.org", skip=1, times=1)
        judge.on("dot", Say("451 no"), recipient="e@d.org")
        for after in (b"250", b"", b"250"):
            assert (await asyncio.to_thread(talk, judge.port, say_the_dot)).startswith(after)
        assert len(judge.accepted) == 3
