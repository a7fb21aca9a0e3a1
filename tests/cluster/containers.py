"""The cluster of deploy/compose.cluster.yml as containers, on ports of its own."""

import asyncio
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from provision.ports import free_ports

ROOT = Path(__file__).parents[2]
PROJECT = "ledgerpost-cluster"
NETWORK = f"{PROJECT}_back"
_FILES = ("docker-compose.yml", "deploy/compose.cluster.yml", "tests/cluster/compose.yml")
_GOLDEN = ROOT / "tests" / "fixtures" / "golden"
_LIMITS = {"DAILY_QUOTA": "1000000", "RATE_LIMIT": "1000000"}


class Failed(Exception):
    """A command of Docker ended with an error."""


class Containers:
    """All containers of the cluster, with the golden ledger, for `async with`."""

    def __init__(self) -> None:
        self.api_port, self.inbox_port = free_ports(2)
        self.key = ""

    async def __aenter__(self) -> Self:
        try:
            await self.compose("build", "--quiet")
            await self.compose("up", "--detach", "--wait")
            await self._owner("--volume", f"{_GOLDEN}:/ledger:ro", words=("import", "/ledger"))
            made = await self._owner(words=("keys", "create", "--business", "1", "--name", "x"))
            self.key = made.split()[0]
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.compose("down", "--volumes", "--timeout", "1")

    async def compose(self, *words: str) -> str:
        """Run `docker compose` with the files of the cluster. Raises Failed."""
        files = [word for file in _FILES for word in ("--file", file)]
        ports = {"API_PORT": str(self.api_port), "MAILPIT_PORT": str(self.inbox_port)}
        return await _run(
            "docker", "compose", "--project-name", PROJECT, "--project-directory", ".",
            *files, *words, environ=_LIMITS | ports,
        )  # fmt: skip

    async def named(self, service: str) -> list[str]:
        """Return the names of the containers of a service, in order."""
        rows = (await self.compose("ps", "--all", "--format", "json", service)).splitlines()
        return sorted(json.loads(row)["Name"] for row in rows)

    async def query(self, sql: str) -> str:
        """Return the answer of the primary to a query, a row on each line."""
        command = ("psql", "--quiet", "--no-align", "--tuples-only", "-U", "ledgerpost")
        return (await self.compose("exec", "-T", "postgres", *command, "-c", sql)).strip()

    async def _owner(self, *options: str, words: tuple[str, ...]) -> str:
        """Run a command of `ledgerpost-api` with the rights of the tables' owner."""
        return await self.compose(
            "run", "--rm", "--no-deps", *options, "migrate", "ledgerpost-api", *words
        )


async def docker(*words: str) -> str:
    """Run `docker`. Raises Failed."""
    return await _run("docker", *words, environ={})


async def until_healthy(container: str, wait: float = 180) -> float:
    """Wait until the health check of a container succeeds; return the seconds that this took."""
    began = time.monotonic()
    while (status := await _health(container)) != "healthy":
        if time.monotonic() - began > wait:
            raise Failed(f"{container} is {status} after {wait:g} s")
        await asyncio.sleep(0.5)
    return time.monotonic() - began


async def _health(container: str) -> str:
    shown: list[dict[str, Any]] = json.loads(await docker("inspect", container))
    state = shown[0]["State"]
    return str(state["Health"]["Status"]) if state["Running"] else str(state["Status"])


async def _run(*words: str, environ: Mapping[str, str]) -> str:
    process = await asyncio.create_subprocess_exec(
        *words,
        cwd=ROOT,
        env={**os.environ, **environ},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, errors = await process.communicate()
    if process.returncode != 0:
        raise Failed(f"{' '.join(words[:8])} …: {errors.decode()[-2000:]}")
    return out.decode()
