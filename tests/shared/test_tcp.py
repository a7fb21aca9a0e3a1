import asyncio
import socket

import pytest

from shared import tcp
from tests.black_hole import NAME, half_there


@pytest.fixture
def listening() -> socket.socket:
    return socket.create_server(("127.0.0.1", 0))


async def test_an_address_that_swallows_packets_does_not_hide_the_next(
    listening: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = listening.getsockname()[1]
    with half_there(monkeypatch, port):
        async with asyncio.timeout(180):
            connected = await tcp.connected(NAME, port)
    with connected, listening:
        assert connected.getpeername() == ("127.0.0.1", port)


async def test_the_only_address_is_waited_for(listening: socket.socket) -> None:
    port = listening.getsockname()[1]
    with listening, await tcp.connected("127.0.0.1", port) as connected:
        assert connected.getpeername() == ("127.0.0.1", port)


async def test_what_the_last_address_said_is_raised() -> None:
    with pytest.raises(ConnectionRefusedError):
        await tcp.connected("127.0.0.1", 1)


async def test_a_name_that_nobody_knows_is_an_os_error() -> None:
    with pytest.raises(OSError, match=r"\w"):
        await tcp.connected("no-such-host.invalid", 1)


async def test_who_gives_up_leaves_no_attempt_behind(
    listening: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = listening.getsockname()[1]
    listening.close()
    with half_there(monkeypatch, port):
        before = asyncio.all_tasks()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.6):
                await tcp.connected(NAME, port)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == before
