"""Two of each process, of whichever release, on one Postgres and one RabbitMQ."""

import asyncio
import shutil
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Literal, Self

import aiohttp
import asyncpg

from provision.place import place
from provision.ports import free_ports
from provision.servers import own_postgres, own_rabbitmq
from tests.faults.processes import ROOT, Child
from tests.journeys.balancer import Balancer
from tests.judge.server import Judge
from tests.upgrade.release import Release

Kind = Literal["api", "relay", "mailer"]
_COMMANDS: dict[Kind, tuple[str, str]] = {
    "api": ("services.api", "serve"),
    "relay": ("services.api", "relay"),
    "mailer": ("services.mailer", "run"),
}
_PORTS: dict[Kind, str] = {
    "api": "API_PORT",
    "relay": "RELAY_OPS_PORT",
    "mailer": "MAILER_OPS_PORT",
}
_LIMITS = {"DAILY_QUOTA": "1000000", "RATE_LIMIT": "1000000"}


class System:
    """What a business runs, with the golden ledger in a database of the older release."""

    def __init__(self, name: str, folder: Path, old: Release) -> None:
        self._name, self._folder, self._old = name, folder, old
        self.postgres = own_postgres(ROOT, name)
        self._rabbitmq = own_rabbitmq(ROOT, name)
        self.judge = Judge()
        self._running: dict[tuple[Kind, int], Child] = {}
        self._started = 0
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        try:
            starts = (self.postgres.start, self._rabbitmq.start)
            await asyncio.gather(*(asyncio.to_thread(start) for start in starts))
            await self._stack.enter_async_context(self.judge)
            self._ports = {
                (kind, number): port
                for (kind, number), port in zip(
                    ((kind, number) for kind in _COMMANDS for number in (0, 1)),
                    free_ports(6),
                    strict=True,
                )
            }
            await self.command(self._old, "migrate")
            await self.command(
                self._old, "import", str(self._old.root / "tests" / "fixtures" / "golden")
            )
            key = await self.command(self._old, "keys", "create", "--business", "1", "--name", "x")
            headers = {"Authorization": f"Bearer {key.split()[0]}"}
            self.balancer = Balancer([self._url("api", number) for number in (0, 1)], headers)
            await self._stack.enter_async_context(self.balancer.running())
            for kind, number in self._ports:
                self._start(kind, number, self._old)
            for kind, number in self._ports:
                await self._is_ready(kind, number)
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *exc: object) -> None:
        for child in self._running.values():
            await child.kill()
        await self._stack.aclose()
        await asyncio.to_thread(self.postgres.wipe)
        await asyncio.to_thread(self._rabbitmq.wipe)
        shutil.rmtree(place(ROOT, self._name), ignore_errors=True)
        with suppress(OSError):
            (ROOT / "var" / self._name).unlink()

    async def replace(self, kind: Kind, by: Release) -> None:
        """Put processes of another release in the place of these, one after the other."""
        for number in (0, 1):
            await self._running[kind, number].stop()
            self._start(kind, number, by)
            await self._is_ready(kind, number)
            await asyncio.sleep(1)

    async def command(self, release: Release, *words: str) -> str:
        """Run a command of `ledgerpost-api` of a release, and return its output."""
        process = await asyncio.create_subprocess_exec(
            release.python, "-m", "services.api", *words,
            cwd=release.root,
            env={"DATABASE_URL": self.postgres.url, "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        out, _ = await process.communicate()
        assert process.returncode == 0, f"{words[0]}: {out.decode()}"
        return out.decode()

    async def connect(self) -> asyncpg.Connection:
        """Open a session as another system that writes the ledger has it."""
        return await asyncpg.connect(self.postgres.url, statement_cache_size=0)

    async def until(self, holds: Callable[[], Awaitable[bool]], what: str, wait: float) -> None:
        """Wait until a condition holds."""
        deadline = time.monotonic() + wait
        while not await holds():
            assert time.monotonic() < deadline, f"not within {wait:g} s: {what}\n{self.logs()}"
            await asyncio.sleep(0.1)

    def logs(self) -> str:
        """The ends of the logs of all processes that ran."""
        return "\n".join(
            f"{log.name}: {log.read_text(errors='replace')[-300:]}"
            for log in sorted(self._folder.glob("*.log"))
        )

    def said(self, words: str) -> int:
        """The number of lines in the log of Postgres with these words."""
        return self.postgres.log.read_text(errors="replace").count(words)

    def _start(self, kind: Kind, number: int, release: Release) -> None:
        settings = _LIMITS | {
            "DATABASE_URL": self.postgres.url,
            "AMQP_URL": self._rabbitmq.url,
            "SMTP_URL": f"smtp://127.0.0.1:{self.judge.port}?starttls=never",
            "MAIL_FROM": "Ledgerpost <post@ledgerpost.example>",
            "DRAIN_DELAY": "3s",
            _PORTS[kind]: str(self._ports[kind, number]),
        }
        name = f"{self._started:02}-{kind}-{number}-{release.version.replace(' ', '-')}"
        self._started += 1
        self._running[kind, number] = Child(
            name, _COMMANDS[kind], settings, self._folder, root=release.root, python=release.python
        )

    def _url(self, kind: Kind, number: int) -> str:
        return f"http://127.0.0.1:{self._ports[kind, number]}"

    async def _is_ready(self, kind: Kind, number: int) -> None:
        url = self._url(kind, number)

        async def answers() -> bool:
            child = self._running[kind, number]
            assert child.alive, f"{child.name} does not run: {child.tail()}"
            with suppress(aiohttp.ClientError):
                async with aiohttp.ClientSession() as http, http.get(f"{url}/health/ready") as got:
                    return got.status == 200
            return False

        await self.until(answers, f"{kind} {number} is ready", 60)
        if kind == "api":
            await self.balancer.until_ready(url)
