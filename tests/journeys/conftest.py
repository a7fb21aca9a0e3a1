"""The whole system in one process: API, relay and mailer on real neighbours, and the judge."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import pytest

from services.api.access import store as access
from services.api.app import create_app
from services.api.core.refusals import SCOPES
from services.api.ledger.imports import import_directory
from services.api.relay.app import relaying
from services.mailer import app as mailer
from shared.process.health import Health
from shared.process.settings import ApiSettings, MailerSettings, RelaySettings
from tests.app_runner import running
from tests.judge.server import Judge
from tests.peer import Peer, peer
from tests.roles import acting

MAIL_FROM = "Ledgerpost <post@ledgerpost.example>"
GOLDEN = Path(__file__).parents[1] / "fixtures" / "golden"


@dataclass
class System:
    """A running system, and a client with a key of business 1 (Kente & Co)."""

    dsn: str
    amqp: str
    judge: Judge
    http: aiohttp.ClientSession
    db: asyncpg.Connection

    @asynccontextmanager
    async def relay(self, **settings: Any) -> AsyncIterator[Health]:
        """Run a relay within the block."""
        health = Health()
        quick = {"poll_interval": "1s", "sweep_interval": "1s"}
        where = {"database_url": acting(self.dsn, "relay"), "amqp_url": self.amqp}
        chosen = RelaySettings(**(quick | where | settings))
        async with relaying(chosen, health):
            yield health

    @asynccontextmanager
    async def mailer(self, **settings: Any) -> AsyncIterator[None]:
        """Run a mailer within the block; it finishes its mails at the end."""
        stop = asyncio.Event()
        chosen = MailerSettings(
            **{
                "database_url": acting(self.dsn, "mailer"),
                "amqp_url": self.amqp,
                "smtp_url": f"smtp://127.0.0.1:{self.judge.port}",
                "mail_from": MAIL_FROM,
                "mailer_ops_port": 0,
                "retry_delay": "1s",
            }
            | settings
        )
        running = asyncio.create_task(mailer.run(chosen, stop))
        try:
            yield
        finally:
            stop.set()
            await running

    async def send(self, customer: int = 4, **body: Any) -> dict[str, Any]:
        """Request a send of a customer's statement of November 2024."""
        async with self.http.post(
            f"/api/v3/clients/{customer}/transactions/send",
            params={"from": "2024-11-01", "to": "2024-11-30"},
            json=body,
        ) as response:
            assert response.status == 202, await response.text()
            answer: dict[str, Any] = await response.json()
            return answer

    async def show(self, send: str) -> dict[str, Any]:
        async with self.http.get(f"/api/v3/sends/{send}") as response:
            assert response.status == 200
            answer: dict[str, Any] = await response.json()
            return answer

    async def until(
        self, send: str, holds: Callable[[dict[str, Any]], bool], timeout: float = 30
    ) -> dict[str, Any]:
        """Follow a send until a condition on it holds."""
        seen: dict[str, Any] = {}
        try:
            async with asyncio.timeout(timeout):
                while not holds(seen := await self.show(send)):
                    await asyncio.sleep(0.05)
        except TimeoutError:
            pytest.fail(f"never came to it: {seen}")
        return seen

    async def settled(self, send: str, timeout: float = 30) -> dict[str, Any]:
        """Follow a send until it is finished."""
        return await self.until(
            send, lambda seen: seen["status"] not in {"scheduled", "sending"}, timeout
        )


@pytest.fixture
async def system(database: str, broker: str) -> AsyncIterator[System]:
    """The API and the judge over the golden ledger; relay and mailer are started by the test."""
    await import_directory(database, GOLDEN)
    async with AsyncExitStack() as stack:
        judge = await stack.enter_async_context(Judge())
        db = await asyncpg.connect(database)
        stack.push_async_callback(db.close)
        key = await access.create(db, business_id=1, name="journeys", scopes=SCOPES)
        settings = ApiSettings(database_url=acting(database, "api"), mail_from=MAIL_FROM)
        app = create_app(settings)
        url = await stack.enter_async_context(running(app))
        headers = {"Authorization": f"Bearer {key.text}"}
        http = await stack.enter_async_context(aiohttp.ClientSession(url, headers=headers))
        yield System(database, broker, judge, http, db)


@pytest.fixture
async def asker(system: System) -> AsyncIterator[Peer]:
    """A peer with a key of business 1."""
    key = await access.create(system.db, business_id=1, name="crm", scopes=["transactions:send"])
    async with peer(system.amqp, key.text) as made:
        yield made


async def sends(system: System) -> int:
    """How many sends are stored."""
    count: int = await system.db.fetchval("SELECT count(*) FROM sends")
    return count


async def soon(holds: Callable[[], Awaitable[bool]], timeout: float = 20) -> None:
    """Wait until a condition holds."""
    async with asyncio.timeout(timeout):
        while not await holds():
            await asyncio.sleep(0.05)
