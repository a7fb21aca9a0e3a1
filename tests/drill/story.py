"""One drill: traffic, a backup, more traffic, the loss of the database, and the way back."""

import asyncio
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from tests.drill import audit
from tests.drill.backups import Archive, Dump
from tests.drill.system import System
from tests.drill.traffic import Asked, Traffic

Way = Literal["dump", "archive", "moment"]
WAYS: dict[Way, str] = {
    "dump": "pg_dump",
    "archive": "base backup and WAL, to its end",
    "moment": "base backup and WAL, to a moment",
}

_MISTAKE = "DELETE FROM payments"
_SLOW = {"SMARTHOST_RATE": "60", "RETRY_DELAY": "0.2s"}  # so that mails wait when it is lost


@dataclass
class Loss:
    """The loss of the database; `kept` is a moment up to which everything has to come back."""

    kept: datetime
    at: datetime
    mailed: frozenset[str]
    began: float = field(default_factory=time.monotonic)

    def seconds(self) -> float:
        """The time since then."""
        return time.monotonic() - self.began


@dataclass
class Result:
    """What one drill found; durations in seconds, `wrong` are broken promises."""

    way: Way
    backup: float = 0
    restore: float = 0
    rpo: float = 0
    rto: float = 0
    accepted: int = 0
    lost: int = 0
    mailed_of_lost: int = 0
    in_doubt: int = 0
    in_doubt_and_mailed: int = 0
    wrong: list[str] = field(default_factory=list)


async def drill(way: Way, name: str, folder: Path, *, sends: int, recipients: int) -> Result:
    """Lose the database of a working system once, and bring it back in one of the ways.

    So many sends, or a few more, are accepted before the backup, after it, and after `kept`.
    """
    result = Result(way)
    async with System(name, folder) as system:
        traffic = Traffic(system, recipients)
        place = system.place / "backup"
        if way == "dump":
            dump = Dump(system.postgres, place)
            loss = await _lose_after_dump(system, traffic, dump, sends)
            result.backup = dump.took
            await dump.restore()
        else:
            archive = Archive(system.postgres, place)
            is_mistake = way == "moment"
            loss = await _lose_with_archive(system, traffic, archive, sends, is_mistake=is_mistake)
            result.backup = archive.took
            await archive.restore(loss.kept if is_mistake else None)
        result.restore = loss.seconds()
        await _go_on(system, traffic, loss, result)
    return result


async def _lose_after_dump(system: System, traffic: Traffic, dump: Dump, sends: int) -> Loss:
    await system.start(**_SLOW)
    traffic.start()
    await traffic.until(sends)
    kept = datetime.now(UTC)
    await dump.take()
    await traffic.until(2 * sends)
    return await _lose(system, traffic, kept)


async def _lose_with_archive(
    system: System, traffic: Traffic, archive: Archive, sends: int, *, is_mistake: bool
) -> Loss:
    await archive.prepare()
    await system.start(**_SLOW)
    traffic.start()
    await traffic.until(sends)
    await archive.take()
    await traffic.until(sends)
    kept = datetime.now(UTC)
    await archive.switch()
    await traffic.until(sends)
    if is_mistake:
        await system.fetch(_MISTAKE)
        await archive.switch()
    return await _lose(system, traffic, kept)


async def _lose(system: System, traffic: Traffic, kept: datetime) -> Loss:
    """Lose the database with its disk in the middle of the work, and stop everything."""
    at = datetime.now(UTC)
    await asyncio.to_thread(system.postgres.wipe)
    loss = Loss(kept, at, frozenset())
    await traffic.stop()
    await system.stop()
    loss.mailed = audit.mailed(system.judge)
    return loss


async def _go_on(system: System, traffic: Traffic, loss: Loss, result: Result) -> None:
    """Do what docs/backup.md says after a restore, and compare every mail with the judge's log."""
    before = list(traffic.asked)
    lost = await audit.lost(system, before)
    result.wrong += [f"{e} is older than {loss.kept} and lost" for e in lost if e.at < loss.kept]
    await system.command("migrate")
    await system.command("quarantine", "--yes")
    await system.command("verify")
    result.wrong += await audit.due(system)
    if result.way == "moment" and not await system.fetch("SELECT FROM payments LIMIT 1"):
        result.wrong.append("the mistake was restored as well")
    result.accepted, result.lost = len(before), len(lost)
    result.rpo = max(((loss.at - each.at) / timedelta(seconds=1) for each in lost), default=0)
    result.mailed_of_lost = len(loss.mailed - await audit.deliveries(system))

    await system.start()
    await _first_mail(system, await traffic.ask_now())
    result.rto = loss.seconds()

    doubts = await audit.deliveries(system, "WHERE state = 'in_doubt'")
    result.in_doubt, result.in_doubt_and_mailed = len(doubts), len(doubts & loss.mailed)
    await _settle(system, doubts, loss.mailed)
    await _send_the_scheduled(system)
    result.wrong += await audit.outcomes(system, lost)


async def _first_mail(system: System, send: Asked) -> None:
    await system.judge.until(lambda judge: any(m.send == send.id for m in judge.accepted), 60)


async def _settle(system: System, doubts: frozenset[str], mailed: frozenset[str]) -> None:
    """Settle the mails in doubt as an operator does, with the log of the mail server."""
    for answer, ids in (("sent", doubts & mailed), ("resend", doubts - mailed)):
        chosen = sorted(ids)
        for start in range(0, len(chosen), 500):
            await system.command(
                "in-doubt", "resolve", *chosen[start : start + 500], "--as", answer
            )


async def _send_the_scheduled(system: System) -> None:
    """Let everything go out now that is due later, and wait until nothing is left to do."""
    now = datetime.now(UTC).isoformat()
    for row in await system.fetch("SELECT DISTINCT send_id FROM deliveries WHERE due_at > now()"):
        path = f"/sends/{row['send_id']}/reschedule"
        status, answer = await system.request("POST", path, json={"send_at": now})
        assert status == 200, answer

    async def is_over() -> bool:
        return not await audit.deliveries(system, f"WHERE {audit.OPEN}")

    await system.until(is_over, "every mail is in a final state", 240)
