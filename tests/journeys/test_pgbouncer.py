"""Each process through a real PgBouncer: it works in session mode, and refuses transaction mode."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import pytest

from provision.ports import free_ports
from shared.db import migrate
from tests.faults.processes import Child
from tests.journeys.conftest import System, soon
from tests.pgbouncer import pooled
from tests.services.api.command import run

_REPORT = "/api/v3/reports/customers/2024-11-01/2024-11-30"
_SENDS = "/api/v3/clients/4/transactions/send?from=2024-11-01&to=2024-11-30"
# The relay hears of the send by NOTIFY, or after a time in which the test gives up.
_LONG = {"POLL_INTERVAL": "10m", "SWEEP_INTERVAL": "10m"}
_COMMANDS = {
    "api": ("services.api", "serve"),
    "relay": ("services.api", "relay"),
    "mailer": ("services.mailer", "run"),
}
_PORTS = {"api": "API_PORT", "relay": "RELAY_OPS_PORT", "mailer": "MAILER_OPS_PORT"}
_REFUSED = "which is not supported (PgBouncer: pool_mode=session"


@asynccontextmanager
async def process(
    system: System, kind: str, dsn: str, folder: Path
) -> AsyncIterator[tuple[Child, str]]:
    """A process whose database is at `dsn`, and its URL."""
    [port] = free_ports(1)
    settings = {
        "DATABASE_URL": dsn,
        "AMQP_URL": system.amqp,
        "SMTP_URL": f"smtp://127.0.0.1:{system.judge.port}?starttls=never",
        "MAIL_FROM": "post@ledgerpost.example",
        "DRAIN_DELAY": "0s",
        _PORTS[kind]: str(port),
        **_LONG,
    }
    child = Child(kind, _COMMANDS[kind], settings, folder)
    try:
        yield child, f"http://127.0.0.1:{port}"
        await child.stop()
    finally:
        await child.kill()


async def readiness(url: str) -> tuple[int, dict[str, Any]]:
    """The status and the checks of a process; 0 if it does not answer yet."""
    try:
        async with aiohttp.ClientSession() as http, http.get(f"{url}/health/ready") as response:
            return response.status, (await response.json())["checks"]
    except aiohttp.ClientError:
        return 0, {}


def answers(url: str, status: int) -> Callable[[], Any]:
    """A question whether a process answers with this status."""

    async def whether() -> bool:
        return (await readiness(url))[0] == status

    return whether


async def test_in_session_mode_a_report_and_a_mail_come_as_without_it(
    system: System, tmp_path: Path
) -> None:
    async with (
        pooled(system.dsn, "session") as through,
        process(system, "api", through, tmp_path) as (_, api),
        process(system, "relay", through, tmp_path) as (_, relay),
        process(system, "mailer", through, tmp_path) as (_, mailer),
        aiohttp.ClientSession(api, headers=system.http.headers) as http,
    ):
        for url in (api, relay, mailer):
            await soon(answers(url, 200), 60)
        async with http.get(_REPORT) as response, system.http.get(_REPORT) as direct:
            assert response.status == 200
            assert await response.read() == await direct.read()
        async with http.post(_SENDS, json={"other_emails": ["a@b.example"]}) as response:
            assert response.status == 202
            send = (await response.json())["id"]
        await system.settled(send, 60)
        assert system.judge.counts() == {
            (send, "esi@customers.example.com"): 1,
            (send, "a@b.example"): 1,
        }
        assert await migrate.migrate(through) == []
        assert await migrate.migrate(through) == []
        ended = await run("verify", DATABASE_URL=through)
        assert ended.status == 0, ended.err
    held = await asyncpg.connect(system.dsn)
    assert (
        await held.fetchval(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database ="
            " (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        == 0
    )
    await held.close()


@pytest.mark.parametrize("kind", _COMMANDS)
async def test_in_transaction_mode_a_process_refuses_in_one_line(
    system: System, tmp_path: Path, kind: str
) -> None:
    async with (
        pooled(system.dsn, "transaction") as through,
        process(system, kind, through, tmp_path) as (child, url),
    ):
        await soon(answers(url, 503), 60)
        async with asyncio.timeout(180):
            while _REFUSED not in (shown := (await readiness(url))[1].get("postgres", "")):
                await asyncio.sleep(0.05)
        assert "\n" not in shown
        lines = [line for line in child.tail().splitlines() if "pool_mode=session" in line]
        assert lines
        assert "Traceback" not in child.tail()
