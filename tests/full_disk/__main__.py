"""Fills the disk of Postgres in a working system, makes room, and audits every mail. Needs root."""

import asyncio
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from shared.process import logs
from shared.process.settings import Settings
from tests.faults.processes import Child
from tests.full_disk.story import fill


def main() -> int:
    """Return the exit status: 1 for any broken promise."""
    if os.geteuid() != 0:
        sys.stderr.write("only root may mount the small disk\n")
        return 2
    Child.as_in_production = True
    logs.configure(Settings(log_level="error"))
    with TemporaryDirectory(prefix="ledgerpost-full-disk-") as folder:
        result = asyncio.run(fill(f"full-disk-{os.getpid()}", Path(folder)))
    for step, answers in result.answers.items():
        said = ", ".join(f"{number} × {status}" for status, number in sorted(answers.items()))
        sys.stdout.write(f"{step}: {said}\n")
    sys.stdout.write("\n".join(["", "Postgres logged:", *result.log, ""]) + "\n")
    sys.stdout.write(f"the next mail was out {result.went_on:.1f} s after there was room\n")
    done = f"{result.mails} mails, nothing mailed twice, nothing missing"
    sys.stdout.write("\n".join(result.wrong or [done]) + "\n")
    return 1 if result.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
