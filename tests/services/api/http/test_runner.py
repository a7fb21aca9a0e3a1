"""The end of a server: what a proxy has connected or written by then is answered."""

import asyncio
import errno
import os
import socket
from collections.abc import Awaitable, Callable

import pytest
import uvloop
from aiohttp import web

from services.api.http.protocol import Runner

_REQUEST = b"GET / HTTP/1.1\r\nHost: ledgerpost.example\r\nConnection: close\r\n\r\n"
_SLOW = _REQUEST.replace(b"GET /", b"GET /slow")

Loop = Callable[[], asyncio.AbstractEventLoop]


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def loop(request: pytest.FixtureRequest) -> Loop:
    made: Loop = request.param
    return made


def _run(loop: Loop, play: Callable[[Runner, tuple[str, int]], Awaitable[None]]) -> None:
    async def main() -> None:
        app = web.Application()
        app.router.add_get("/", _answer)
        app.router.add_get("/slow", _answer_late)
        runner = Runner(app, farewell=0.5, access_log=None)
        await runner.setup()
        await web.SockSite(runner, socket.create_server(("127.0.0.1", 0))).start()
        async with asyncio.timeout(180):
            await play(runner, runner.addresses[0])

    with asyncio.Runner(loop_factory=loop) as running:
        running.run(main())


async def _answer(_: web.Request) -> web.Response:
    return web.Response(text="answered")


async def _answer_late(request: web.Request) -> web.Response:
    await asyncio.sleep(1)
    return await _answer(request)


async def _read(connection: socket.socket) -> bytes:
    reader, writer = await asyncio.open_connection(sock=connection)
    try:
        return await reader.read()
    finally:
        writer.close()


def test_a_connection_that_the_program_did_not_take_yet_is_answered(loop: Loop) -> None:
    async def play(runner: Runner, address: tuple[str, int]) -> None:
        # The loop does not run from here on, so the kernel alone takes the connections.
        callers = [socket.create_connection(address) for _ in range(20)]
        for caller in callers:
            caller.sendall(_REQUEST)
        await runner.cleanup()
        for caller in callers:
            assert (await _read(caller)).endswith(b"answered")
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address)

    _run(loop, play)


def test_a_request_that_comes_after_the_listener_is_closed_is_answered(loop: Loop) -> None:
    async def play(runner: Runner, address: tuple[str, int]) -> None:
        caller = socket.create_connection(address)
        await asyncio.sleep(0.1)
        ending = asyncio.create_task(runner.cleanup())
        await asyncio.sleep(0.1)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address)
        caller.sendall(_REQUEST)
        assert (await _read(caller)).endswith(b"answered")
        await ending

    _run(loop, play)


@pytest.mark.parametrize("fails", ["dup", "accept"])
def test_a_request_in_flight_is_answered_though_no_descriptor_is_left(
    loop: Loop, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    async def play(runner: Runner, address: tuple[str, int]) -> None:
        caller = socket.create_connection(address)
        caller.sendall(_SLOW)
        await asyncio.sleep(0.1)
        with monkeypatch.context() as patched:
            patched.setattr(os if fails == "dup" else socket.socket, fails, full)
            ending = asyncio.create_task(runner.cleanup())
            await asyncio.sleep(0.1)
        assert (await _read(caller)).endswith(b"answered")
        await ending
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address)

    _run(loop, play)


def test_a_caller_that_left_before_it_was_taken_keeps_no_other_from_its_answer(
    loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = [ConnectionAbortedError(errno.ECONNABORTED, "Software caused connection abort")]
    accept = socket.socket.accept

    def one_left(listener: socket.socket) -> tuple[socket.socket, object]:
        if left:
            raise left.pop()
        return accept(listener)

    async def play(runner: Runner, address: tuple[str, int]) -> None:
        caller = socket.create_connection(address)
        caller.sendall(_REQUEST)
        monkeypatch.setattr(socket.socket, "accept", one_left)
        await runner.cleanup()
        assert (await _read(caller)).endswith(b"answered")

    _run(loop, play)
