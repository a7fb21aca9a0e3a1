"""The process that receives returned mail: its start, its end, and what others see of it."""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import asyncpg
import pytest

from tests.commands import ended
from tests.faults.processes import Child
from tests.roles import acting
from tests.services.mailer.returns.mail_server import (
    GONE,
    SECRET,
    MailServer,
    connected,
    path_of_one,
)

LEAST = {"RETURN_SECRET": SECRET, "BOUNCE_DOMAIN": "bounces.example"}


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


@asynccontextmanager
async def process(database: str, folder: Path, **settings: str) -> AsyncIterator[Child]:
    """Run it with the rights of the mailer, and kill it at the end if it runs on."""
    given = LEAST | {"DATABASE_URL": acting(database, "mailer"), "RETURNS_OPS_PORT": "0"}
    child = Child(
        f"returns-{free_port()}", ("services.mailer", "returns"), given | settings, folder
    )
    try:
        async with asyncio.timeout(180):
            while '"returns_listening"' not in child.tail():
                assert child.alive, child.tail()
                await asyncio.sleep(0.02)
        yield child
    finally:
        await child.kill()


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT])
async def test_it_finishes_a_mail_and_ends(
    database: str, pool: asyncpg.Pool, tmp_path: Path, by: signal.Signals
) -> None:
    path, port = await path_of_one(pool), free_port()
    listen = f"smtp://127.0.0.1:{port}"
    async with (
        process(database, tmp_path, RETURNS_LISTEN=listen) as child,
        connected(port) as idle,
        connected(port) as busy,
        connected(port) as between,
    ):
        await between.begin(path)
        await busy.begin(path)
        assert (await busy.say("DATA"))[:3] == "354"
        stopping = asyncio.create_task(child.stop(by))
        assert (await idle.reply())[:9] == "421 4.3.2"
        assert (await between.reply())[:9] == "421 4.3.2"
        with pytest.raises(ConnectionError):
            await asyncio.open_connection("127.0.0.1", port)
        assert await busy.say(GONE + b".") == "250 2.0.0 stored"
        assert (await busy.reply())[:9] == "421 4.3.2"
        await stopping
    assert await pool.fetchval("SELECT state FROM deliveries") == "bounced"
    log = child.tail()
    for private in (path.partition("@")[0], "ana@", "user unknown", SECRET):
        assert private not in log


async def test_lmtp_over_a_socket_of_the_machine(
    database: str, pool: asyncpg.Pool, tmp_path: Path
) -> None:
    path, place = await path_of_one(pool), tmp_path / "returns.sock"
    for _ in range(2):  # the second start finds the file of the one that was killed
        async with process(database, tmp_path, RETURNS_LISTEN=f"lmtp://{place}"):
            peer = MailServer(*await asyncio.open_unix_connection(place))
            assert (await peer.reply())[:3] == "220"
            await peer.say("LHLO mx.client.example")
            assert await peer.deliver(path) == "250 2.0.0 stored"
            peer.writer.close()
    assert await pool.fetchval("SELECT count(*) FROM returns") == 1
    async with process(database, tmp_path, RETURNS_LISTEN=f"lmtp://{place}") as child:
        assert oct(place.stat().st_mode)[-3:] == "666"
        await child.stop()
        assert not place.exists()


async def test_health_and_metrics(database: str, pool: asyncpg.Pool, tmp_path: Path) -> None:
    path, port, ops = await path_of_one(pool), free_port(), free_port()
    listen = f"smtp://127.0.0.1:{port}"
    settings = {"RETURNS_LISTEN": listen, "RETURNS_OPS_PORT": str(ops)}
    async with (
        process(database, tmp_path, **settings),
        connected(port) as peer,
        aiohttp.ClientSession(f"http://127.0.0.1:{ops}") as http,
    ):
        for _ in range(2):  # the second is a copy
            await peer.deliver(path)
        async with http.get("/health/ready") as response:
            assert await response.json() == {"status": "ok", "checks": {"postgres": "ok"}}
        async with http.get("/metrics") as response:
            lines = (await response.text()).split("\n")
    assert 'ledgerpost_return_replies_total{class="2",command="data"} 2.0' in lines
    assert 'ledgerpost_returns_total{kind="bounce",scope="recipient"} 1.0' in lines
    assert 'ledgerpost_returns_total{kind="bounce",scope="policy"} 0.0' in lines
    assert "ledgerpost_return_connections 1.0" in lines


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"RETURN_SECRET": ""}, "RETURN_SECRET: is not set"),
        ({"RETURN_SECRET": "short"}, "RETURN_SECRET: should have at least 32 characters"),
        ({"BOUNCE_DOMAIN": ""}, "RETURN_SECRET: needs MAIL_FROM or BOUNCE_DOMAIN"),
        ({"RETURNS_LISTEN": "smtp://192.0.2.1:2525"}, "RETURNS_LISTEN: smtp://192.0.2.1:2525: "),
        ({"RETURNS_LISTEN": "imap://x:1"}, "RETURNS_LISTEN: should be addresses like smtp://"),
        (
            {"RETURNS_TLS_CERT": "/nowhere", "RETURNS_TLS_KEY": "/nowhere"},
            "RETURNS_TLS_CERT, RETURNS_TLS_KEY: No such file or directory",
        ),
    ],
)
async def test_it_does_not_start(settings: dict[str, str], said: str) -> None:
    given = LEAST | {"DATABASE_URL": "postgresql://u@127.0.0.1:1/d", "RETURNS_OPS_PORT": "0"}
    done = await ended("services.mailer", "returns", settings=given | settings)
    assert (done.status, done.out) == (2, "")
    last = done.err.rstrip("\n").split("\n")[-1]
    assert last.startswith(f"Error: {said}")
