"""Writes the results: one section of bench/RESULTS.md for each benchmark."""

import asyncio
import os
import platform
import re
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import asyncpg

from bench.servers import ROOT

RESULTS = ROOT / "bench" / "RESULTS.md"


def write(name: str, title: str, lines: list[str]) -> None:
    """Print the section, and replace the one with the same name."""
    text = RESULTS.read_text() if RESULTS.exists() else "# Results\n"
    section = "\n".join([f"<!-- {name} -->", f"## {title}", "", *lines, f"<!-- /{name} -->"])
    former = re.compile(rf"<!-- {name} -->.*<!-- /{name} -->", re.DOTALL)
    if former.search(text):
        RESULTS.write_text(former.sub(lambda _: section, text))
    else:
        RESULTS.write_text(f"{text.rstrip()}\n\n{section}\n")
    print(section)


def machine(url: str | None, *packages: str) -> str:
    """Return a description of the machine and the versions, also of the Postgres at the address."""
    cpu = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    used = ", ".join(f"{name} {version(name)}" for name in packages)
    postgres = f"Postgres {asyncio.run(_postgres(url))}, " if url else ""
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores ({cpu[1] if cpu else 'unknown'}), "
        f"Linux {platform.release()}, load {os.getloadavg()[0]:.1f} at the start, "
        f"{postgres}Python {platform.python_version()}, {used}."
    )


async def _postgres(url: str) -> str:
    conn = await asyncpg.connect(url)
    try:
        return str(await conn.fetchval("SHOW server_version"))
    finally:
        await conn.close()
