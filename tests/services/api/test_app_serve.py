import asyncio
import json
import re
import socket
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.typedefs import Handler, Middleware
from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]  # has none

from provision.ports import free_ports
from services.api.app import create_app
from services.api.http.server import Server
from shared.process.settings import ApiSettings
from tests.services.api.api_client import NOVEMBER, REPORTS
from tests.services.api.command import run, served, start
from tests.services.api.ledgers import load_large, new_key

NOWHERE = "postgresql://user:s3cret@127.0.0.1:1/nowhere"


async def test_requests_at_work_are_finished_when_it_is_told_to_stop(database: str) -> None:
    await load_large(database, customers=20_000, each=1)
    key = await new_key(database)
    async with served(DATABASE_URL=database) as (process, url, lines):
        headers = {"Authorization": f"Bearer {key}"}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.get(f"{url}{REPORTS}/{NOVEMBER}") as response,
        ):
            beginning = await response.content.readexactly(10)
            process.terminate()
            rows = json.loads(beginning + await response.content.read())
        assert len(rows) == 20_000
        assert await process.wait() == 0
    assert all(json.loads(line)["event"] for line in lines)
    assert "Bad file descriptor" not in "".join(lines)
    assert key not in "".join(lines)


async def test_a_server_told_to_stop_serves_on_until_it_is_asked_no_more(readable: str) -> None:
    headers = {"Authorization": f"Bearer {await new_key(readable)}"}
    async with (
        served(DATABASE_URL=readable, DRAIN_DELAY="2s") as (process, url, _),
        aiohttp.ClientSession(headers=headers) as session,
    ):
        async with session.get(f"{url}/health/ready") as response:
            assert (response.status, response.headers.get("Connection")) == (200, None)
        process.terminate()
        async with asyncio.timeout(1):
            while (ready := await _ready(session, url))[0] == 200:
                await asyncio.sleep(0.01)
        assert ready == (503, "close", {"postgres": "ok", "server": "is stopping"})
        # On a connection of its own, as the last one was closed.
        async with session.get(f"{url}{REPORTS}/{NOVEMBER}") as response:
            assert (response.status, response.headers.get("Connection")) == (200, "close")
        async with session.get(f"{url}/health/live") as response:
            assert response.status == 200
        assert process.returncode is None
        assert await process.wait() == 0
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.get(f"{url}/health/live")


async def _ready(session: aiohttp.ClientSession, url: str) -> tuple[int, str | None, object]:
    async with session.get(f"{url}/health/ready") as response:
        checks = (await response.json())["checks"]
        return response.status, response.headers.get("Connection"), checks


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({}, "DATABASE_URL"),
        ({"DATABASE_URL": "mysql://u:s3cret@h/d"}, "DATABASE_URL"),
        ({"DATABASE_URL": NOWHERE, "API_PORT": "many"}, "API_PORT"),
        ({"DATABASE_URL": NOWHERE, "API_WORKERS": "0"}, "API_WORKERS"),
        ({"DATABASE_URL_FILE": "/no/such/file"}, "DATABASE_URL_FILE"),
        ({"DATABASE_URL": NOWHERE, "LOG_FORMAT": "xml"}, "LOG_FORMAT"),
    ],
)
async def test_a_wrong_setting_is_named_in_one_line(settings: dict[str, str], name: str) -> None:
    ended = await run("serve", **settings)
    assert (ended.status, ended.out) == (2, "")
    assert re.fullmatch(rf"Error: {name}: .+\n", ended.err)
    assert "s3cret" not in ended.err


@pytest.mark.parametrize("words", [("migrate",), ("keys", "list"), ("verify",)])
async def test_no_postgres_is_one_line(words: tuple[str, ...]) -> None:
    ended = await run(*words, DATABASE_URL=NOWHERE)
    assert (ended.status, ended.out) == (1, "")
    assert len(ended.err.splitlines()) == 1, ended.err
    assert "s3cret" not in ended.err


async def test_migrate_prints_what_it_applied(database: str) -> None:
    ended = await run("migrate", DATABASE_URL=database)
    assert (ended.status, ended.out, ended.err) == (0, "up to date\n", "")


async def test_all_workers_count_together(readable: str) -> None:
    async with served(DATABASE_URL=readable, API_WORKERS="2") as (process, url, _):
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(force_close=True)
        ) as session:
            for _ in range(20):
                async with session.get(f"{url}/health/live") as response:
                    assert response.status == 200
            async with session.get(f"{url}/metrics") as response:
                figures = await response.text()
        process.terminate()
        assert await process.wait() == 0
    live = r'ledgerpost_http_requests_total\{method="GET",route="/health/live",status="200"\} (\S+)'
    assert [float(count) for count in re.findall(live, figures)] == [20.0]


@pytest.mark.parametrize("delay", [0.0, 0.008, 0.012, 0.02])
async def test_a_worker_that_is_only_starting_hears_that_it_has_to_stop(delay: float) -> None:
    process = await start(
        "serve", API_PORT="0", API_WORKERS="2", DATABASE_URL=NOWHERE, DRAIN_DELAY="0s"
    )
    assert process.stderr is not None
    booting = 0
    while booting < 2:
        booting += b"Booting worker" in await process.stderr.readline()
    await asyncio.sleep(delay)
    process.terminate()
    # Long before the 60 s after which whoever has not heard is killed.
    async with asyncio.timeout(180):
        await process.communicate()
    assert process.returncode == 0


async def test_all_workers_keep_one_limit(golden: str) -> None:
    key = await new_key(golden)
    statuses = []
    async with (
        served(DATABASE_URL=golden, API_WORKERS="2", RATE_LIMIT="10") as (_, url, _),
        aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(force_close=True),
            headers={"Authorization": f"Bearer {key}"},
        ) as session,
    ):
        for _ in range(20):
            async with session.get(f"{url}{REPORTS}/client/4/{NOVEMBER}") as response:
                statuses.append(response.status)
    assert statuses == [200] * 10 + [429] * 10


async def test_an_address_that_cannot_be_bound_is_named_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = await run("serve", DATABASE_URL=NOWHERE, API_PORT=port)
    assert (ended.status, ended.out) == (2, "")
    last = ended.err.splitlines()[-1]
    assert last.startswith("Error: API_HOST, API_PORT: Address already in use")
    for host in ("203.0.113.1", "no.such.host.invalid"):
        ended = await run("serve", DATABASE_URL=NOWHERE, API_HOST=host)
        assert (ended.status, ended.out) == (2, "")
        assert ended.err.splitlines()[-1].startswith("Error: API_HOST, API_PORT: ")


def test_nobody_can_connect_while_the_address_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever connected then was disconnected without an answer."""
    listened: list[object] = []
    monkeypatch.setattr(socket.socket, "listen", lambda self, *_: listened.append(self))
    monkeypatch.setattr(BaseApplication, "run", lambda self: None)
    [port] = free_ports(1)
    settings = ApiSettings(database_url=NOWHERE, api_port=port)
    Server(settings, web.Application, None, last_step=0).run()
    assert listened == []


@pytest.mark.filterwarnings("ignore:Inheritance class Instrumented:DeprecationWarning")
async def test_an_instrumentation_may_add_a_middleware(monkeypatch: pytest.MonkeyPatch) -> None:
    """As that of OpenTelemetry does: it takes the place of the application's class."""
    seen = []

    @web.middleware
    async def trace(request: web.Request, handler: Handler) -> web.StreamResponse:
        seen.append(request.path)
        return await handler(request)

    class Instrumented(web.Application):
        def __init__(self, *, middlewares: list[Middleware], **given: Any) -> None:
            middlewares.insert(0, trace)
            super().__init__(middlewares=middlewares, **given)

    monkeypatch.setattr(web, "Application", Instrumented)
    # Once more than once: what is inserted must not stay for the next application.
    for _ in range(2):
        app = create_app(ApiSettings(database_url=NOWHERE))
        async with TestClient(TestServer(app)) as client, client.get("/health/live") as answer:
            assert answer.status == 200
    assert seen == ["/health/live"] * 2
