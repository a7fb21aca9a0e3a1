"""One upgrade with traffic, in the order of docs/upgrade.md, and the way back in between."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests.steps import Step
from tests.upgrade.release import Release, this
from tests.upgrade.system import System
from tests.upgrade.traffic import Traffic

_OPEN = "state IN ('scheduled', 'queued', 'sending', 'committing', 'deferred')"


@dataclass
class Result:
    """What an upgrade found; `wrong` are broken promises."""

    steps: list[Step]
    mails: int
    deadlocks: int
    wrong: list[str] = field(default_factory=list)


async def upgrade(old: Release, name: str, folder: Path, pause: float) -> Result:
    """Upgrade a working system from `old` to this version; `pause` seconds between the steps."""
    new = this()
    async with System(name, folder, old) as system:
        traffic = Traffic(system)
        traffic.step(f"all processes of {old.version}")
        traffic.start()
        await asyncio.sleep(pause)
        traffic.step("migrate")
        await system.command(new, "migrate")
        traffic.step(f"{old.version} on the new tables")
        await asyncio.sleep(pause)
        for kind in ("mailer", "relay", "api"):
            traffic.step(f"{kind}s to the new version")
            await system.replace(kind, new)
        traffic.step("all processes new")
        await asyncio.sleep(pause)
        for kind in ("api", "relay"):
            traffic.step(f"{kind}s back to {old.version}")
            await system.replace(kind, old)
        traffic.step("only the mailers new")
        await asyncio.sleep(pause)
        for kind in ("relay", "api"):
            traffic.step(f"{kind}s to the new version again")
            await system.replace(kind, new)
        traffic.step("migrate --after")
        await system.command(new, "migrate", "--after")
        traffic.step("the end")
        await asyncio.sleep(pause)
        await traffic.stop()
        wrong = [f"{step.name}: {fault}" for step in traffic.steps for fault in step.failed]
        wrong += await _audit(system, traffic, new)
        return Result(traffic.steps, len(traffic.accepted), system.said("deadlock detected"), wrong)


async def _audit(system: System, traffic: Traffic, new: Release) -> list[str]:
    """Wait for the last mail, and return what is wrong by the log of the mail server."""
    conn = await system.connect()
    try:

        async def is_over() -> bool:
            return not await conn.fetchval(f"SELECT count(*) FROM deliveries WHERE {_OPEN}")

        await system.until(is_over, "every mail is in a final state", 600)
        rows = await conn.fetch("SELECT state, count(*) FROM deliveries GROUP BY 1")
        wrong = [f"{n} mails are {state}" for state, n in map(tuple, rows) if state != "sent"]
    finally:
        await conn.close()
    asked, out = Counter(traffic.accepted), system.judge.counts()
    wrong += [f"{each} went out {out[each]} times" for each in out if out[each] > asked[each]]
    wrong += [f"{each} was accepted and never went out" for each in asked if each not in out]
    await system.command(new, "verify")
    return wrong
