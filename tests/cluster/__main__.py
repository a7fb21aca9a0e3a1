"""Brings a cluster up with Docker, restarts, kills and cuts off parts, and audits every mail."""

import asyncio
import sys

from services.api.core.cli import table
from tests.cluster.containers import Containers, Failed
from tests.cluster.story import Result, play


def _told(result: Result) -> str:
    rows = [("what was done", "took", "asked", "failed", "slowest", "no mail for")]
    rows += [
        (step.name, f"{step.took:.0f} s", str(step.asked), str(len(step.failed)),
         f"{step.slowest:.2f} s", f"{step.silence:.1f} s")
        for step in result.steps
    ]  # fmt: skip
    lines = table(rows)
    lines += ["", result.containers, f"{result.mails} mails; deliveries: {result.states}"]
    return "\n".join(lines + (result.wrong or ["no mail lost or doubled"]))


async def _main() -> int:
    try:
        async with Containers() as cluster:
            result = await play(cluster)
    except Failed as problem:
        sys.stderr.write(f"{problem}\n")
        return 2
    sys.stdout.write(_told(result) + "\n")
    return 1 if result.wrong else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(_main()))
