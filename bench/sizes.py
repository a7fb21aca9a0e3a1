"""What a document takes on disk, and how long a business takes to dump and to restore."""

import asyncio
import os
import subprocess
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg

from bench import ledger, results
from bench.servers import ROOT
from provision import programs
from provision import servers as provision

_CUSTOMERS, _INVOICES = (100, 1_000, 10_000), 100_000
_LEDGER = ("businesses", "categories", "customers", "invoices", "payments", "deposits")
# With indexes, TOAST and the map of free space.
_SIZES = """
SELECT relname, pg_total_relation_size(oid) FROM pg_class
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
"""


def main(_: list[str]) -> None:
    """Measure businesses of 100,000 documents with few and with many customers, and write it."""
    url = provision.start(ROOT, "bench", os.environ).database_url
    lines = [
        results.machine(url, "asyncpg"),
        "",
        f"One business of {_INVOICES:,} documents over five years, with 90,000 payments. Bytes a document, with all indexes.",
        "",
        "| customers | ledger | kept figures | of these by document | by customer and period | `pg_dump -Fc`, s | its file | `pg_restore`, s |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for customers in _CUSTOMERS:
        dsn, copy = asyncio.run(ledger.create(url)), asyncio.run(ledger.create(url))
        try:
            asyncio.run(ledger.fill(dsn, customers=customers, invoices=_INVOICES))
            lines.append(_line(customers, asyncio.run(_measured(dsn)), *_saved(dsn, copy)))
        finally:
            asyncio.run(ledger.drop(url, dsn))
            asyncio.run(ledger.drop(url, copy))
    results.write("sizes", "Sizes", lines)


async def _measured(dsn: str) -> dict[str, float]:
    """Return the bytes for each document, by table."""
    conn = await asyncpg.connect(dsn)
    try:
        return {name: size / _INVOICES for name, size in await conn.fetch(_SIZES)}
    finally:
        await conn.close()


def _saved(dsn: str, copy: str) -> tuple[float, float, float]:
    """Return the seconds of a dump, its bytes for each document, and the seconds of a restore."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "ledgerpost.dump"
        dumped = _took("pg_dump", "-Fc", "-f", str(file), dsn)
        size = file.stat().st_size / _INVOICES
        restored = _took("pg_restore", "--clean", "--if-exists", "-d", copy, str(file))
    return dumped, size, restored


def _took(name: str, *arguments: str) -> float:
    program, began = programs.postgres(ROOT), time.monotonic()
    subprocess.run([program.bin / name, *arguments], env=program.environ(), check=True)
    return time.monotonic() - began


def _line(
    customers: int, sizes: dict[str, float], dumped: float, size: float, restored: float
) -> str:
    kept = {name: each for name, each in sizes.items() if name.startswith("kept_")}
    by_document = kept["kept_documents"] + kept["kept_open_parts"]
    cells = (
        f"{customers:,}",
        *(f"{each:.0f}" for each in (sum(sizes[name] for name in _LEDGER), sum(kept.values()))),
        *(f"{each:.0f}" for each in (by_document, sum(kept.values()) - by_document)),
        f"{dumped:.1f}",
        f"{size:.0f}",
        f"{restored:.1f}",
    )
    return f"| {' | '.join(cells)} |"
