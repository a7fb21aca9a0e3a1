"""The judge is to be trusted, and no supported relay takes a mail without the dot."""

import asyncio
import shutil
import smtplib
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.judge.mail import SEND, envelope
from tests.judge.script import Accept, Drop, Say
from tests.judge.server import Judge

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
# Where and how many mails a relay has taken, once it has seen the end of all connections.
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


RELAYS = [the_judge, aiosmtpd]


@pytest.mark.parametrize("relay", RELAYS)
@pytest.mark.parametrize("end", ENDS)
async def test_a_relay_takes_nothing_without_the_dot(
    relay: Served,
    end: Callable[[socket.socket], None],
) -> None:
    async with relay() as (port, taken):
        after = await asyncio.to_thread(talk, port, end)
        assert b"250" not in after
        await asyncio.sleep(0.02)
        assert await taken() == 0


@pytest.mark.parametrize("relay", RELAYS)
async def test_a_relay_takes_the_same_mail_with_the_dot(
    relay: Served,
) -> None:
    async with relay() as (port, taken):
        assert (await asyncio.to_thread(talk, port, say_the_dot)).startswith(b"250")
        assert await taken() == 1


@pytest.mark.skipif(shutil.which("postfix") is None, reason="postfix is not installed")
@pytest.mark.parametrize("end", ENDS)
async def test_postfix_takes_nothing_without_the_dot(
    end: Callable[[socket.socket], None], tmp_path: Path
) -> None:
    config, spool = tmp_path / "etc", tmp_path / "spool"
    config.mkdir()
    spool.mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shutil.copy("/usr/share/postfix/main.cf.debian", config / "main.cf")
    with (config / "main.cf").open("a") as main:
        main.write(
            f"compatibility_level=3.6\nqueue_directory={spool}\ndata_directory={tmp_path}/data\n"
            "mydestination=\nrelay_domains=d.org\ndefer_transports=smtp relay\n"
            "inet_interfaces=127.0.0.1\nmaillog_file=/dev/stdout\nmaillog_file_prefixes=/dev\n"
        )
    master = ["cleanup unix n - n - 0 cleanup", "rewrite unix - - n - - trivial-rewrite"]
    master += [
        "qmgr unix n - n 300 1 qmgr",
        "smtp unix - - n - - smtp",
        "error unix - - n - - error",
    ]
    master += ["bounce unix - - n - 0 bounce", "defer unix - - n - 0 bounce"]
    master += ["postlog unix-dgram n - n - 1 postlogd", f"127.0.0.1:{port} inet n - n - - smtpd"]
    (config / "master.cf").write_text("\n".join(master) + "\n")
    postfix = ["postfix", "-c", str(config)]
    started = await asyncio.create_subprocess_exec(*postfix, "start")
    assert await started.wait() == 0
    try:
        assert b"250" not in await asyncio.to_thread(talk, port, end)
        await asyncio.to_thread(talk, port, say_the_dot, b"last\r\n")
        listing = await asyncio.create_subprocess_exec(
            "postqueue", "-c", str(config), "-j", stdout=asyncio.subprocess.PIPE
        )
        assert len((await listing.communicate())[0].splitlines()) == 1
    finally:
        stopped = await asyncio.create_subprocess_exec(*postfix, "stop")
        await stopped.wait()


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
