"""The API behind nginx and behind Caddy, with TLS, as the files in deploy/proxy have it."""

import asyncio
import json
import re
import shutil
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count
from pathlib import Path

import aiohttp
import pytest
from yarl import URL

from provision.ports import free_ports
from tests.faults.processes import Child
from tests.journeys.conftest import System, soon
from tests.journeys.probe import is_answered
from tests.proxies import KINDS, Proxy, proxy
from tests.roles import acting
from tests.servers import absent

ROOT = Path(__file__).parents[2]
LIST = "/api/v3/reports/customers/2024-11-01/2024-11-30"
SEND = "/api/v3/clients/4/transactions/send?from=2024-11-01&to=2024-11-30"
PAGE = {"Accept": "text/html", "Sec-Fetch-Site": "same-origin"}
_MANY = 30_000
_PAUSE = 0.05  # seconds between two requests of a caller

every_proxy = pytest.mark.parametrize("kind", KINDS)


@asynccontextmanager
async def api(system: System, port: int, folder: Path, **settings: str) -> AsyncIterator[Child]:
    """An API process that trusts the proxy on 127.0.0.1, and is ready."""
    where = {
        "DATABASE_URL": acting(system.dsn, "api"),
        "API_PORT": str(port),
        "TRUSTED_PROXIES": "127.0.0.1/32",
        "PUBLIC_URL": "https://reports.example.com",
    }
    process = Child(f"api-{port}", ("services.api", "serve"), where | settings, folder)
    try:
        await soon(lambda: is_answered(f"http://127.0.0.1:{port}/health/ready"), 60)
        yield process
    finally:
        await process.kill()


async def takes_part(port: int) -> bool:
    """Whether this API process has accepted a send, so that the proxy knows it to be ready."""
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"http://127.0.0.1:{port}/metrics") as response,
    ):
        found = re.search(
            r'^ledgerpost_http_requests_total\{.*status="202"', await response.text(), re.MULTILINE
        )
    return found is not None


def client(front: Proxy, system: System, *, address: str = "127.0.0.1") -> aiohttp.ClientSession:
    """A caller from an address of this host, with the key of business 1."""
    connector = aiohttp.TCPConnector(ssl=front.trust, local_addr=(address, 0))
    return aiohttp.ClientSession(front.url, headers=system.http.headers, connector=connector)


@every_proxy
async def test_a_call_is_answered_as_without_it_and_its_caller_is_known(
    kind: str, system: System, tmp_path: Path
) -> None:
    [port] = free_ports(1)
    async with (
        api(system, port, tmp_path) as process,
        proxy(kind, [port], tmp_path) as front,
        client(front, system, address="127.0.0.7") as http,
    ):
        async with system.http.get(LIST) as response:
            direct, tag = await response.json(), response.headers["ETag"]
        forged = {"X-Forwarded-For": "203.0.113.9", "X-Request-Id": "through-the-proxy"}
        async with http.get(LIST, params={"q": "Esi"}, headers=forged) as response:
            assert response.status == 200
            assert response.headers["Strict-Transport-Security"] == "max-age=31536000"
        async with http.get(LIST) as response:
            assert await response.json() == direct
        async with http.get(LIST, headers={"If-None-Match": tag}) as response:
            assert response.status == 304
        async with http.post(SEND, json={}, headers={"Idempotency-Key": kind}) as response:
            assert response.status == 202
        async with http.get("/nowhere") as response:
            assert response.content_type == "application/problem+json"
    line = next(line for line in process.tail().splitlines() if "through-the-proxy" in line)
    assert json.loads(line)["remote"] == "127.0.0.7"
    assert "Esi" not in front.logged()
    assert not any(path in front.logged() for path in ("/nowhere", LIST))


@every_proxy
async def test_what_is_for_the_operator_stays_inside(
    kind: str, system: System, tmp_path: Path
) -> None:
    [port] = free_ports(1)
    async with (
        api(system, port, tmp_path),
        proxy(kind, [port], tmp_path) as front,
        client(front, system) as http,
    ):
        await nothing_for_the_operator(http, front.url)


async def test_haproxy_of_the_cluster_keeps_it_inside_too(system: System, tmp_path: Path) -> None:
    [port, behind] = free_ports(2)
    text = (ROOT / "deploy" / "cluster" / "haproxy.cfg").read_text("utf-8")
    text = text[: text.index("frontend amqp")].replace("bind :8080", f"bind 127.0.0.1:{port}")
    text = text.replace("server-template api 4 api:8080", f"server api 127.0.0.1:{behind}")
    (tmp_path / "haproxy.cfg").write_text(text)
    program = shutil.which("haproxy", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    if program is None:
        absent("there is no haproxy")
    async with api(system, behind, tmp_path):
        process = await asyncio.create_subprocess_exec(
            program, "-db", "-f", str(tmp_path / "haproxy.cfg"), stdout=asyncio.subprocess.DEVNULL
        )
        try:
            await soon(lambda: is_answered(f"http://127.0.0.1:{port}/openapi.json"), 60)
            url = f"http://127.0.0.1:{port}"
            async with aiohttp.ClientSession(url, headers=system.http.headers) as http:
                await nothing_for_the_operator(http, url)
        finally:
            process.kill()
            await process.wait()


async def nothing_for_the_operator(http: aiohttp.ClientSession, front: str) -> None:
    """A caller sees neither metrics nor health, however the path is written."""
    for path in (
        "/metrics",
        "/health/ready",
        "/health/live",
        "/%6detrics",
        "/%68ealth/ready",
        "//metrics",
        "/x/../metrics",
    ):
        async with http.get(URL(f"{front}{path}", encoded=True)) as response:
            assert response.status == 404, path
            assert "ledgerpost_" not in await response.text()
    async with http.get("/api/v3/me") as response:
        assert response.status == 200


@every_proxy
async def test_a_person_signs_in_and_reads_a_page(
    kind: str, system: System, tmp_path: Path
) -> None:
    [port] = free_ports(1)
    key = system.http.headers["Authorization"].removeprefix("Bearer ")
    async with api(system, port, tmp_path), proxy(kind, [port], tmp_path) as front:
        connector = aiohttp.TCPConnector(ssl=front.trust)
        async with aiohttp.ClientSession(front.url, connector=connector) as http:
            form = {"key": key, "next": LIST}
            foreign = PAGE | {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
            async with http.post("/sign-in", data=form, headers=foreign) as response:
                assert response.status == 403
            own = PAGE | {"Origin": front.url}
            async with http.post(
                "/sign-in", data=form, headers=own, allow_redirects=False
            ) as response:
                assert (response.status, response.headers["Location"]) == (303, LIST)
                cookie = response.cookies["ledgerpost_session"]
            assert cookie["secure"]
            assert cookie["httponly"]
            session = PAGE | {"Cookie": f"ledgerpost_session={cookie.value}"}
            async with http.get(LIST, headers=session) as response:
                assert response.content_type == "text/html"
                assert "Content-Security-Policy" in response.headers


@every_proxy
async def test_large_answers_and_bodies(kind: str, system: System, tmp_path: Path) -> None:
    [port] = free_ports(1)
    await system.db.execute(
        "INSERT INTO customers (business_id, id, owner_id, first_name)"
        " SELECT 1, 1000000 + n, 1, 'Customer ' || n FROM generate_series(1, $1::int) n",
        _MANY,
    )
    async with (
        api(system, port, tmp_path),
        proxy(kind, [port], tmp_path) as front,
        client(front, system) as http,
    ):
        lines = {"Accept": "application/x-ndjson"}
        async with system.http.get(LIST, headers=lines) as response:
            direct = await response.read()
        async with http.get(LIST, headers=lines) as response:
            first = await response.content.readany()
            assert first + await response.content.read() == direct
        assert direct.count(b"\n") > _MANY
        for size, status in ((900_000, 422), (1_500_000, 413), (4_000_000, 413)):
            assert await _posted(http, size) == status, size


async def _posted(http: aiohttp.ClientSession, size: int) -> int:
    """The status for a send with a message of this size."""
    async with http.post(SEND, json={"message": "x" * size}) as response:
        return response.status


@every_proxy
async def test_nobody_notices_that_each_of_two_is_restarted(
    kind: str, system: System, tmp_path: Path
) -> None:
    ports = free_ports(2)
    drained = {"DRAIN_DELAY": "3s", "RATE_LIMIT": "1000000", "DAILY_QUOTA": "1000000"}
    async with AsyncExitStack() as stack:
        running = {
            port: await stack.enter_async_context(api(system, port, tmp_path, **drained))
            for port in ports
        }
        front = await stack.enter_async_context(proxy(kind, ports, tmp_path))
        http = await stack.enter_async_context(client(front, system))
        callers = Callers(http)
        async with callers.asking():
            for port in ports:
                await callers.more()
                for other in ports:
                    await soon(lambda other=other: takes_part(other), 180)  # type: ignore[misc]  # bound
                await running[port].stop()
                await callers.more()
                await stack.enter_async_context(api(system, port, tmp_path, **drained))
            await callers.more()
    assert callers.failed == []
    sends = await system.db.fetchval("SELECT count(*) FROM sends")
    assert sends == callers.statuses[202] > 0


class Callers:
    """Callers that read and send again and again, and never retry."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self._http = http
        self.statuses = Counter[int]()
        self.failed: list[str] = []

    @asynccontextmanager
    async def asking(self) -> AsyncIterator[None]:
        """Ask within the block, and wait for the last answers."""
        stop = asyncio.Event()
        tasks = [asyncio.create_task(self._ask(stop)) for _ in range(4)]
        try:
            yield
        finally:
            stop.set()
            await asyncio.gather(*tasks)

    async def more(self) -> None:
        """Wait for 40 more answers."""
        wanted = self.statuses.total() + 40
        async with asyncio.timeout(180):
            while self.statuses.total() < wanted:
                await asyncio.sleep(0.05)

    async def _ask(self, stop: asyncio.Event) -> None:
        for number in count():
            if stop.is_set():
                return
            method, path = ("GET", LIST) if number % 2 else ("POST", SEND)
            body = None if number % 2 else {}
            try:
                async with self._http.request(method, path, json=body) as response:
                    text = await response.text()
            except (aiohttp.ClientError, OSError) as error:
                self.failed.append(repr(error))
                continue
            self.statuses[response.status] += 1
            if response.status not in {200, 202}:
                self.failed.append(f"{method} {response.status} {text[:200]}")
            await asyncio.sleep(_PAUSE)
