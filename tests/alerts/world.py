"""API, relay and mailer as real processes, whose ways to the servers can be cut."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from provision.ports import free_ports
from tests.alerts.prometheus import Prometheus
from tests.faults.processes import Child
from tests.journeys.conftest import System
from tests.journeys.probe import is_answered
from tests.roles import acting
from tests.services.api.tcp_proxy import Proxy, between

_SEND = "/api/v3/clients/4/transactions/send?from=2024-11-01&to=2024-11-30"
LIMIT = 120  # seconds for a fault to be seen, or for its end, on a busy machine


@dataclass
class World:
    """The processes, what is between them and the servers, and the Prometheus that watches."""

    system: System
    api_url: str
    database: Proxy
    broker: Proxy
    start_mailer: Callable[[], Child]
    prometheus: Prometheus
    mailer: Child = field(init=False)

    async def send(self, *others: str) -> str:
        """Request a mail to customer 4, and to others; return the id of the send."""
        url = f"{self.api_url}{_SEND}"
        async with self.system.http.post(url, json={"other_emails": list(others)}) as response:
            assert response.status == 202, await response.text()
            answer: dict[str, Any] = await response.json()
            return str(answer["id"])

    async def ask(self) -> int:
        """Ask the API for the customers; return the status of its answer."""
        async with self.system.http.get(f"{self.api_url}/api/v3/customers") as response:
            await response.read()
            return response.status

    async def until_firing(self, name: str) -> str:
        """Wait for an alert; return its summary."""
        async with asyncio.timeout(LIMIT):
            while (alert := (await self.prometheus.firing()).get(name)) is None:
                await asyncio.sleep(0.2)
        return alert.summary

    async def until_over(self, name: str) -> None:
        """Wait until an alert does not fire any more."""
        async with asyncio.timeout(LIMIT):
            while name in await self.prometheus.firing():
                await asyncio.sleep(0.2)


@asynccontextmanager
async def watched(system: System, folder: Path) -> AsyncIterator[World]:
    """One API, one relay and one mailer, all ready, with a Prometheus that asks every second."""
    jobs = ("ledgerpost-api", "ledgerpost-relay", "ledgerpost-mailer")
    ports = dict(zip(jobs, free_ports(3), strict=True))
    api, relay, mailer = ports.values()
    async with (
        between(acting(system.dsn, "api")) as database,
        between(system.amqp) as broker,
        Prometheus(folder, ports) as prometheus,
    ):

        def start(name: str, *command: str, **settings: str) -> Child:
            return Child(name, command, settings, folder)

        def start_mailer() -> Child:
            return start(
                "mailer", "services.mailer", "run",
                DATABASE_URL=acting(system.dsn, "mailer"), AMQP_URL=broker.dsn,
                SMTP_URL=f"smtp://127.0.0.1:{system.judge.port}?starttls=never",
                MAIL_FROM="post@ledgerpost.example", MAILER_OPS_PORT=str(mailer),
                ATTACH_PDF="off",
            )  # fmt: skip

        world = World(system, f"http://127.0.0.1:{api}", database, broker, start_mailer, prometheus)
        running = [
            start(
                "api", "services.api", "serve",
                DATABASE_URL=database.dsn, API_PORT=str(api), DRAIN_DELAY="0s",
            ),
            start(
                "relay", "services.api", "relay",
                DATABASE_URL=acting(system.dsn, "relay"), AMQP_URL=system.amqp,
                RELAY_OPS_PORT=str(relay),
            ),
        ]  # fmt: skip
        world.mailer = start_mailer()
        try:
            for port in ports.values():
                async with asyncio.timeout(LIMIT):
                    while not await is_answered(f"http://127.0.0.1:{port}/health/ready"):
                        await asyncio.sleep(0.1)
            yield world
        finally:
            for process in (*running, world.mailer):
                await process.kill()
