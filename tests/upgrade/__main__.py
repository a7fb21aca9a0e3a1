"""Upgrades a working system from an older release, goes back and forth, and audits every mail."""

import argparse
import asyncio
import os
import sys
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

from services.api.core.cli import table
from tests.faults.processes import Child
from tests.upgrade.release import known, older
from tests.upgrade.story import Result, upgrade


def _told(result: Result) -> str:
    rows = [("step", "took", "asked", "failed", "slowest")]
    rows += [
        (step.name, f"{step.took:.1f} s", str(step.asked), str(len(step.failed)),
         f"{step.slowest:.2f} s")
        for step in result.steps
    ]  # fmt: skip
    lines = table(rows)
    lines += ["", f"{result.mails} mails, {result.deadlocks} deadlocks that Postgres ended"]
    return "\n".join(lines + (result.wrong or ["no request failed, no mail lost or doubled"]))


def main() -> int:
    """Return the exit status: 1 for any broken promise."""
    parser = argparse.ArgumentParser(prog="python -m tests.upgrade", description=__doc__)
    before = [each for each in known() if each != version("ledgerpost")]
    parser.add_argument("--release", choices=before, default=before[-1])
    parser.add_argument("--pause", type=float, default=5, help="seconds between two steps")
    given = parser.parse_args()
    Child.as_in_production, Child.grace = True, 300.0
    old = older(given.release)
    with TemporaryDirectory(prefix="ledgerpost-upgrade-") as folder:
        name = f"upgrade-{os.getpid()}"
        result = asyncio.run(upgrade(old, name, Path(folder), given.pause))
    sys.stdout.write(_told(result) + "\n")
    return 1 if result.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
