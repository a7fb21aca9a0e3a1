"""Runs the API's command line."""

import asyncio
import os
import re
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.commands import Ended, ended
from tests.roles import acting

ROOT = Path(__file__).parents[3]


async def start(*words: str, within: tuple[str, ...] = (), **settings: str) -> Process:
    clean = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME"}}
    return await asyncio.create_subprocess_exec(
        *within, sys.executable, "-m", "services.api", *words,
        cwd=ROOT, env=clean | settings, stdout=PIPE, stderr=PIPE, limit=2**24,
    )  # fmt: skip


async def run(*words: str, **settings: str) -> Ended:
    return await ended("services.api", *words, settings=settings)


@asynccontextmanager
async def served(
    *words: str, within: tuple[str, ...] = (), as_given: bool = False, **settings: str
) -> AsyncIterator[tuple[Process, str, list[str]]]:
    """Run `serve` on a free port; yields the process, its address and the lines it logs.

    `within` is a command that runs it. It has the rights of an API, whoever DATABASE_URL names,
    unless it is to log in `as_given`.
    """
    if not as_given:
        login = "api_with_relay" if "--with-relay" in words else "api"
        settings["DATABASE_URL"] = acting(settings["DATABASE_URL"], login)
    chosen = {"DRAIN_DELAY": "0s", "API_PORT": "0"} | settings
    process = await start("serve", *words, within=within, **chosen)
    assert process.stderr is not None
    lines: list[str] = []
    found: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def read() -> None:
        assert process.stderr is not None
        async for line in process.stderr:
            lines.append(line.decode())
            match = re.search(r"Listening at: (http://[0-9.:]+)", lines[-1])
            if match and not found.done():
                found.set_result(match[1])

    reading = asyncio.create_task(read())
    try:
        async with asyncio.timeout(180):
            url = await found
        yield process, url, lines
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await reading
