"""Loses the database of a working system in each way, restores it, and audits every mail."""

import argparse
import asyncio
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from services.api.core.cli import table
from shared.process import logs
from shared.process.settings import Settings
from tests.drill.story import WAYS, Result, drill
from tests.faults.processes import Child

_HEADS = (
    "way", "backup", "sends", "lost", "RPO", "restore", "RTO",
    "in doubt", "of these mailed", "mailed of lost sends",
)  # fmt: skip


def _row(one: Result) -> tuple[str, ...]:
    doubts = (one.in_doubt, one.in_doubt_and_mailed, one.mailed_of_lost)
    return (
        WAYS[one.way],
        f"{one.backup:.1f} s",
        str(one.accepted),
        str(one.lost),
        *(f"{each:.1f} s" for each in (one.rpo, one.restore, one.rto)),
        *map(str, doubts),
    )


async def _drill_all(sends: int, recipients: int) -> list[Result]:
    results = []
    for way in WAYS:
        with TemporaryDirectory(prefix="ledgerpost-drill-") as folder:
            name = f"drill-{os.getpid()}"
            results.append(await drill(way, name, Path(folder), sends=sends, recipients=recipients))
        sys.stdout.write(f"{WAYS[way]}: done\n")
        sys.stdout.flush()
    return results


def main() -> int:
    """Return the exit status: 1 for any broken promise."""
    parser = argparse.ArgumentParser(prog="python -m tests.drill", description=__doc__)
    parser.add_argument("--sends", type=int, default=100, help="in each third of the traffic")
    parser.add_argument("--recipients", type=int, default=4, help="of each send")
    given = parser.parse_args()
    Child.as_in_production = True
    logs.configure(Settings(log_level="error"))
    results = asyncio.run(_drill_all(given.sends, given.recipients))
    for line in table([_HEADS, *map(_row, results)]):
        sys.stdout.write(line + "\n")
    wrong = [f"{WAYS[one.way]}: {each}" for one in results for each in one.wrong]
    sys.stdout.write("\n" + "\n".join(wrong or ["nothing mailed twice, nothing missing"]) + "\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
