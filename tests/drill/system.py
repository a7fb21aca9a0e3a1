"""The system of a drill as real processes: servers, API, relay, mailer, and the judge."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any, Self

import aiohttp
import asyncpg

from provision.place import place
from provision.ports import free_ports
from provision.servers import own_postgres, own_rabbitmq
from services.api.access import store as access
from services.api.core.refusals import SCOPES
from services.api.ledger.imports import import_directory
from shared.db.migrate import migrate
from tests.commands import ended
from tests.faults.processes import ROOT, Child
from tests.judge.server import Judge
from tests.roles import acting, make_logins

_GOLDEN = ROOT / "tests" / "fixtures" / "golden"
_SENDER = "Ledgerpost <post@ledgerpost.example>"


class System:
    """Everything that a business runs, with the golden ledger, for `async with`."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self._folder = name, folder
        self.place = place(ROOT, name)
        self.postgres = own_postgres(ROOT, name)
        self._rabbitmq = own_rabbitmq(ROOT, name)
        self.judge = Judge()
        self._children: list[Child] = []
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        try:
            starts = (self.postgres.start, self._rabbitmq.start)
            await asyncio.gather(*(asyncio.to_thread(start) for start in starts))
            await self._stack.enter_async_context(self.judge)
            await migrate(self.postgres.url)
            await make_logins(self.postgres.url)
            await import_directory(self.postgres.url, _GOLDEN)
            conn = await asyncpg.connect(self.postgres.url)
            key = await access.create(conn, business_id=1, name="drill", scopes=SCOPES)
            await conn.close()
            headers = {"Authorization": f"Bearer {key.text}"}
            self.http = await self._stack.enter_async_context(
                aiohttp.ClientSession(headers=headers, timeout=aiohttp.ClientTimeout(30))
            )
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *exc: object) -> None:
        for child in self._children:
            await child.kill()
        await self._stack.aclose()
        await asyncio.to_thread(self.postgres.wipe)
        await asyncio.to_thread(self._rabbitmq.wipe)
        shutil.rmtree(self.place, ignore_errors=True)
        with suppress(OSError):
            (ROOT / "var" / self.name).unlink()

    async def start(self, **mailer: str) -> None:
        """Start API, relay and mailer, and return once the API is ready."""
        [port] = free_ports(1)
        amqp = {"AMQP_URL": self._rabbitmq.url}
        limits = {"MAX_RECIPIENTS": "1000", "DAILY_QUOTA": "1000000"}
        smtp = f"smtp://127.0.0.1:{self.judge.port}?starttls=never"
        self._child("api", "serve", API_PORT=str(port), DRAIN_DELAY="0s", **limits)
        self._child("relay", "relay", RELAY_OPS_PORT="0", POLL_INTERVAL="0.2s", **limits, **amqp)
        sending = {"SMTP_URL": smtp, "MAIL_FROM": _SENDER, "MAILER_OPS_PORT": "0"}
        self._child("mailer", "run", **sending, **amqp, **mailer)
        self.api = f"http://127.0.0.1:{port}"
        await self.until(self._is_ready, "the API is ready")

    async def stop(self) -> None:
        """Kill the three processes, which cannot finish their work without a database."""
        for child in self._children:
            await child.kill()
        self._children.clear()

    async def request(self, method: str, path: str, **given: Any) -> tuple[int, dict[str, Any]]:
        """Return the status and the body of an answer of the API."""
        async with self.http.request(method, f"{self.api}/api/v3{path}", **given) as answer:
            return answer.status, await answer.json()

    async def command(self, *words: str) -> str:
        """Run a command of `ledgerpost-api` as the owner, and return its output."""
        done = await ended("services.api", *words, settings={"DATABASE_URL": self.postgres.url})
        assert done.status == 0, f"{words[0]}: {done.out}{done.err}"
        return done.out

    async def fetch(self, query: str, *arguments: object) -> list[asyncpg.Record]:
        """Query the database."""
        conn = await asyncpg.connect(self.postgres.url)
        try:
            rows: list[asyncpg.Record] = await conn.fetch(query, *arguments)
            return rows
        finally:
            await conn.close()

    async def until(
        self, holds: Callable[[], Awaitable[bool]], what: str, wait: float = 120
    ) -> None:
        """Wait until a condition holds."""
        try:
            async with asyncio.timeout(wait):
                while not await holds():
                    await asyncio.sleep(0.05)
        except TimeoutError:
            logs = "\n".join(child.tail(1500) for child in self._children)
            raise AssertionError(f"not within {wait:g} s: {what}\n{logs}") from None

    async def _is_ready(self) -> bool:
        try:
            async with self.http.get(f"{self.api}/health/ready") as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False

    def _child(self, process: str, word: str, **settings: str) -> None:
        module = "services.mailer" if process == "mailer" else "services.api"
        settings["DATABASE_URL"] = acting(self.postgres.url, process)
        number = len(list(self._folder.glob(f"{process}-*.log")))
        child = Child(f"{process}-{number}", (module, word), settings, self._folder)
        self._children.append(child)
