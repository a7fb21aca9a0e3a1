"""The world of a case: the system as real processes, its servers, and the judge."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

import aiohttp
import asyncpg

from services.api.app import create_app
from shared.db import postgres
from shared.process.settings import ApiSettings
from tests.app_runner import running
from tests.faults.neighbours import Neighbours
from tests.faults.outcomes import Outcome, audit
from tests.faults.processes import Child
from tests.faults.tap import Tap
from tests.judge.script import Rule
from tests.judge.server import Judge
from tests.roles import acting

# All times of the programs scaled down.
_RELAY = {
    "POLL_INTERVAL": "0.2s",
    "SWEEP_INTERVAL": "0.5s",
    "QUEUE_PATIENCE": "2s",
    "RELAY_OPS_PORT": "0",
}
_MAILER = {
    "MAIL_FROM": "Ledgerpost <post@ledgerpost.example>",
    "LEASE": "4s",  # shorter ones run out where a busy machine lets the renewal wait
    "RETRY_DELAY": "0.2s",
    "SMTP_REPLY_TIMEOUT": "30s",
    "MAILER_OPS_PORT": "0",
}
_UNSETTLED = "state IN ('scheduled', 'queued', 'sending', 'committing', 'deferred')"
_MAILER_AT_WORK = """SELECT FROM pg_stat_activity WHERE datname = current_database()
    AND application_name = 'ledgerpost-mailer'"""
_FATE_UNKNOWN = "state = 'committing' OR state = 'in_doubt' AND reason LIKE 'the worker vanished%'"


class World:
    """The system of one case, for `async with`; `injected` counts the doubts that it causes."""

    def __init__(
        self, neighbours: Neighbours, folder: Path, name: str, *, alone: bool, full: bool
    ) -> None:
        self.neighbours, self.folder, self.name = neighbours, folder, name
        self.alone, self.full = alone, full
        self.judge = Judge()
        self.taps: list[Tap] = []
        self.injected = 0
        self.children: list[Child] = []
        self._stack = AsyncExitStack()
        self._db: asyncpg.Connection | None = None

    async def __aenter__(self) -> Self:
        try:
            await self._enter()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def _enter(self) -> None:
        await self.neighbours.ready()
        self.amqp = await self._stack.enter_async_context(self.neighbours.broker(alone=self.alone))
        self.dsn = await self._stack.enter_async_context(self.neighbours.database())
        self._stack.push_async_callback(self._close_db)
        await self._stack.enter_async_context(self.judge)
        settings = ApiSettings(
            database_url=acting(self.dsn, "api"), max_recipients=1000, daily_quota=1_000_000
        )
        url = await self._stack.enter_async_context(running(create_app(settings)))
        self.http = await self._stack.enter_async_context(self.client(url))

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: object
    ) -> None:
        if isinstance(error, Exception):
            for child in self.children:
                error.add_note(f"---- {child.name}\n{child.tail()}")
        for child in self.children:
            await child.kill()
        await self._stack.aclose()

    def note(self, text: str) -> None:
        """Print a line for people; no assertion depends on it."""
        sys.stderr.write(f"{self.name}: {text}\n")

    def client(self, url: str) -> aiohttp.ClientSession:
        """A client of the API at `url`, with a key of business 1."""
        headers = {"Authorization": f"Bearer {self.neighbours.key}"}
        return aiohttp.ClientSession(url, headers=headers)

    async def tapped(self) -> Tap:
        """A tap on the way to Postgres, there until all processes have ended."""
        self.taps.append(tap := await self._stack.enter_async_context(Tap(self.dsn)))
        return tap

    def api(self, port: int, **settings: str) -> Child:
        """Start an API."""
        given = {"DATABASE_URL": self.dsn, "API_PORT": str(port), "MAX_RECIPIENTS": "1000"}
        given |= {"DRAIN_DELAY": "0s"}
        return self.start("api", ("services.api", "serve"), given | settings)

    def relay(self, *, roomy: bool = False, **settings: str) -> Child:
        """Start a relay; a roomy one queues all due rows at once."""
        given = {"DATABASE_URL": self.dsn, "AMQP_URL": self.amqp}
        program = "tests.faults.roomy" if roomy else "services.api"
        return self.start("relay", (program, "relay"), _RELAY | given | settings)

    def mailer(self, *, impatient: bool = False, **settings: str) -> Child:
        """Start a mailer; an impatient one waits for seconds instead of minutes."""
        given = {
            "DATABASE_URL": self.dsn,
            "AMQP_URL": self.amqp,
            "SMTP_URL": f"smtp://127.0.0.1:{self.judge.port}?starttls=never",
        }
        program = "tests.faults.impatient" if impatient else "services.mailer"
        return self.start("mailer", (program, "run"), _MAILER | given | settings)

    async def kill_mailer(self, mailer: Child) -> None:
        """Kill the only mailer, and count the mails past the gate, which become in doubt."""
        await mailer.kill()
        for tap in self.taps:
            tap.drop()  # as the kernel does with a dead process's connections

        async def is_over() -> bool:
            return not await self.fetch(_MAILER_AT_WORK)

        await self.until(is_over, "what the mailer asked of Postgres last is done")
        self.injected = await self.count(_FATE_UNKNOWN)

    async def send(self, others: int | list[str] = 0, customer: int = 4, **body: Any) -> str:
        """Request a send to the customer and `others`, and return its id."""
        if isinstance(others, int):
            others = [f"r{number}@x.example" for number in range(others)]
        answer = await self.ask(customer, other_emails=others, **body)
        return str(answer["id"])

    async def ask(self, customer: int = 4, **body: Any) -> dict[str, Any]:
        """Request a customer's statement of November 2024, and return the body of the 202."""
        return await self.answer(
            "POST",
            f"/api/v3/clients/{customer}/transactions/send",
            202,
            params={"from": "2024-11-01", "to": "2024-11-30"},
            json=body,
            headers={"Idempotency-Key": str(uuid4())},
        )

    async def show(self, send: str) -> dict[str, dict[str, Any]]:
        """Return the recipients of a send in the API, by address."""
        shown = await self.answer("GET", f"/api/v3/sends/{send}", 200)
        return {one["email"]: one for one in shown["recipients"]}

    async def answer(self, method: str, path: str, status: int, **given: Any) -> dict[str, Any]:
        """Return the body of the API's answer, which has to be of this status.

        A busy API, whose first connection to Postgres takes long, answers 503 and is asked again.
        """
        for attempt in range(10):
            async with self.http.request(method, path, **given) as response:
                if response.status == 503 and attempt < 9:
                    continue
                assert response.status == status, await response.text()
                body: dict[str, Any] = await response.json()
                return body
        raise AssertionError

    async def fetch(self, query: str, *arguments: object) -> list[asyncpg.Record]:
        """Query the database. Raises one of postgres.UNAVAILABLE while it is down."""
        if self._db is None or self._db.is_closed():
            self._db = await asyncpg.connect(self.dsn, timeout=10, command_timeout=20)
        rows: list[asyncpg.Record] = await self._db.fetch(query, *arguments)
        return rows

    async def count(self, condition: str, *arguments: object) -> int:
        """How many deliveries there are with this condition."""
        query = f"SELECT count(*) FROM deliveries WHERE {condition}"
        return int((await self.fetch(query, *arguments))[0][0])

    async def until(
        self, holds: Callable[[], Awaitable[bool]], what: str, wait: float = 240
    ) -> None:
        """Wait until a condition holds; while the database is down, it does not."""
        try:
            async with asyncio.timeout(wait):
                while not await self._holds(holds):
                    await asyncio.sleep(0.05)
        except TimeoutError:
            rows = await self.fetch("SELECT state, reason, count(*) FROM deliveries GROUP BY 1, 2")
            raise AssertionError(f"not within {wait:g} s: {what}; {[*map(tuple, rows)]}") from None

    async def until_count(self, condition: str, wanted: int, wait: float = 240) -> None:
        """Wait until at least this number of deliveries has this condition."""

        async def enough() -> bool:
            return await self.count(condition) >= wanted

        await self.until(enough, f"{wanted} with {condition}", wait)

    async def met(self, rule: Rule, times: int = 1) -> None:
        """Wait until a rule of the judge was applied."""

        async def often_enough() -> bool:
            return rule.met >= times

        await self.until(often_enough, f"{rule.step} at the judge")

    async def settled(self, wait: float = 300) -> None:
        """Wait until every delivery is in a final state, and none is in doubt without a cause.

        The doubt of a worker that was slow for a moment may be settled by a late reply.
        """

        async def over() -> bool:
            doubted = await self.count("state = 'in_doubt'")
            return not await self.count(_UNSETTLED) and doubted <= self.injected

        await self.until(over, "all settled", wait)

    async def finish(self) -> Outcome:
        """Stop all processes cleanly, and count the outcomes of the mails."""
        for child in self.children:
            await child.stop()
        await self.fetch("SELECT 1")
        assert self._db is not None
        return await audit(self._db, self.judge, self.injected)

    def start(self, name: str, command: tuple[str, ...], settings: dict[str, str]) -> Child:
        """Start a program with the rights of the process `name`."""
        settings |= {"DATABASE_URL": acting(settings["DATABASE_URL"], name)}
        child = Child(f"{name}-{len(self.children)}", command, settings, self.folder)
        self.children.append(child)
        return child

    async def _holds(self, holds: Callable[[], Awaitable[bool]]) -> bool:
        try:
            return await holds()
        except postgres.UNAVAILABLE:
            return False

    async def _close_db(self) -> None:
        if self._db is not None:
            self._db.terminate()
