"""Runs the API's command line as a person does."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Ended:
    status: int
    out: str
    err: str


async def start(*words: str, **settings: str) -> Process:
    clean = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME"}}
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.api", *words,
        cwd=ROOT, env=clean | settings, stdout=PIPE, stderr=PIPE, limit=2**24,
    )  # fmt: skip


async def run(*words: str, **settings: str) -> Ended:
    process = await start(*words, **settings)
    async with asyncio.timeout(60):
        out, err = await process.communicate()
    assert process.returncode is not None
    return Ended(process.returncode, out.decode(), err.decode())
