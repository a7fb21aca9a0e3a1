"""The disk of Postgres is full while mails go out: what callers see, and how it goes on."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from uuid import uuid4

import asyncpg

from provision.place import place
from tests.drill import audit
from tests.drill.system import System
from tests.faults.processes import ROOT
from tests.full_disk.disk import Disk

_PATH = "/api/v3/clients/4/transactions/send?from=2024-11-01&to=2024-11-30"
_SOON = 240.0  # seconds for what takes a few on an idle machine
_PROBLEM = "application/problem+json"
_MAILS = 20  # of each step, at least


@dataclass
class Result:
    """What callers saw: the answers of each step by status; `wrong` are broken promises."""

    answers: dict[str, Counter[int]] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    went_on: float = 0
    mails: int = 0
    wrong: list[str] = field(default_factory=list)


class Caller:
    """Asks for one send after the other, each as often as needed, with its Idempotency-Key."""

    def __init__(self, system: System, url: str, result: Result) -> None:
        self._system, self._url, self._result = system, url, result
        self.step("room")

    def step(self, name: str) -> None:
        """Count the following answers apart."""
        self.seen = self._result.answers.setdefault(name, Counter())

    async def ask(self, number: int) -> None:
        """Repeat one request until it is accepted."""
        key, body = str(uuid4()), {"other_emails": [f"r{number}@x.example"]}
        while not await self._once(key, body):
            await asyncio.sleep(0.2)

    async def _once(self, key: str, body: dict[str, list[str]]) -> bool:
        headers = {"Idempotency-Key": key}
        async with self._system.http.post(self._url, json=body, headers=headers) as answer:
            text = await answer.text()
            self.seen[answer.status] += 1
            if answer.status == 202:
                return True
            if (answer.status, answer.content_type) != (503, _PROBLEM):
                self._result.wrong.append(f"{answer.status} {answer.content_type} {text}")
            return False


async def fill(name: str, folder: Path) -> Result:
    """Fill the disk of a working system, first its tables and then its WAL, and make room."""
    result = Result()
    with Disk(place(ROOT, name) / "postgres" / "data", 256) as disk:
        async with System(name, folder) as system:
            await system.start(RETRY_DELAY="0.2s")
            caller = Caller(system, f"{system.api}{_PATH}", result)
            asking = asyncio.create_task(_ask_on(caller))
            try:
                await _out(system, _MAILS)
                await _without_room(system, caller, disk, result)
                await _with_room(system, caller, disk, result)
            finally:
                asking.cancel()
                await asyncio.gather(asking, return_exceptions=True)
            await _settled(system)
            result.wrong += await audit.outcomes(system, [])
            result.mails = len(system.judge.accepted)
            text = system.postgres.log.read_text(errors="replace")
            result.log = sorted({_line(each) for each in text.splitlines() if "No space" in each})
            await system.command("verify")
    return result


async def _ask_on(caller: Caller) -> None:
    for number in count():
        await caller.ask(number)


async def _without_room(system: System, caller: Caller, disk: Disk, result: Result) -> None:
    caller.step("full")
    disk.fill()
    await _until(lambda: caller.seen[503] >= 5, "the API refuses")
    if not (system.postgres.running and await _reads(system)):
        result.wrong.append("nothing can be read while only the tables have no room")
    caller.step("full, and no room for the WAL")
    await _switch(system)
    await _until(lambda: not system.postgres.running, "Postgres ends")
    await _until(lambda: caller.seen[503] >= 5, "the API refuses without Postgres")


async def _with_room(system: System, caller: Caller, disk: Disk, result: Result) -> None:
    caller.step("room again")
    disk.clear()
    began = time.monotonic()
    await asyncio.to_thread(system.postgres.start)
    await _until(lambda: caller.seen[202] > 0, "the API accepts again")
    out = len(system.judge.accepted)
    await _out(system, out + 1)
    result.went_on = time.monotonic() - began
    await _out(system, out + _MAILS)


async def _reads(system: System) -> bool:
    status, _ = await system.request("GET", "/reports/customers/2024-11-01/2024-11-30")
    return status == 200


async def _switch(system: System) -> None:
    """Let Postgres begin further files of WAL until it cannot, which ends it."""
    try:
        while system.postgres.running:
            await system.fetch("SELECT pg_switch_wal() FROM (SELECT txid_current()) AS written")
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return


async def _settled(system: System) -> None:
    async def is_over() -> bool:
        return not await audit.deliveries(system, f"WHERE {audit.OPEN}")

    await system.until(is_over, "every mail is in a final state", _SOON)


async def _out(system: System, number: int) -> None:
    await system.judge.until(lambda judge: len(judge.accepted) >= number, _SOON)


async def _until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + _SOON
    while not holds():
        assert time.monotonic() < deadline, f"not within {_SOON:g} s: {what}"
        await asyncio.sleep(0.05)


def _line(text: str) -> str:
    """The message of a line of the log, without its time and its numbers."""
    message = text.partition("] ")[2] or text
    return "".join("N" if each.isdigit() else each for each in message)
