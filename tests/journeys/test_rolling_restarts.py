"""Two of each process under load, each restarted: no failed request, each mail once."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import aiohttp

from provision.ports import free_ports
from tests.faults.processes import Child
from tests.journeys.balancer import Balancer
from tests.journeys.conftest import System, soon
from tests.journeys.probe import is_answered
from tests.roles import acting

_SENDS = "/api/v3/clients/4/transactions/send?from=2024-11-01&to=2024-11-30"
_CUSTOMER = "esi@customers.example.com"
_CALLERS, _PAUSE = 6, 0.25  # how many ask, and the seconds that each waits in between
_LEAST_SHARE = 0.25
_OPEN = """SELECT count(*) FROM deliveries
    WHERE state IN ('scheduled', 'queued', 'sending', 'committing', 'deferred')"""


@dataclass
class Instance:
    """One of two processes of a kind, restarted on the same port; `done` counts its work."""

    kind: str
    port: int
    start: Callable[[], Child]
    process: Child = field(init=False)
    done: float = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@asynccontextmanager
async def fleet(system: System, folder: Path) -> AsyncIterator[list[Instance]]:
    """Two APIs, two relays and two mailers, ready to work."""
    mailers = {
        "SMTP_URL": f"smtp://127.0.0.1:{system.judge.port}?starttls=never",
        "MAIL_FROM": "post@ledgerpost.example",
    }
    kinds = {
        "api": (("services.api", "serve"), "API_PORT", {"DRAIN_DELAY": "3s"}),
        "relay": (("services.api", "relay"), "RELAY_OPS_PORT", {}),
        "mailer": (("services.mailer", "run"), "MAILER_OPS_PORT", mailers),
    }
    ports = iter(free_ports(6))
    instances = []
    for kind, (command, setting, own) in kinds.items():
        for number, port in enumerate((next(ports), next(ports))):
            where = {"DATABASE_URL": acting(system.dsn, kind), "AMQP_URL": system.amqp}
            settings = where | own | {setting: str(port)}
            name = f"{kind}-{number}"

            def start(
                name: str = name,
                command: tuple[str, ...] = command,
                settings: dict[str, str] = settings,
            ) -> Child:
                return Child(name, command, settings, folder)

            instances.append(Instance(kind, port, start))
    for instance in instances:
        instance.process = instance.start()
    try:
        for instance in instances:
            await soon(lambda url=instance.url: is_answered(f"{url}/health/ready"), 60)  # type: ignore[misc]  # bound
        yield instances
    finally:
        for instance in instances:
            await instance.process.kill()


class Callers:
    """A client that requests mails all the time; it collects accepted mails and failures."""

    def __init__(self, balancer: Balancer) -> None:
        self._balancer = balancer
        self.accepted: list[tuple[str, str]] = []
        self.failed: list[str] = []

    @asynccontextmanager
    async def asking(self) -> AsyncIterator[None]:
        """Send requests within the block, and wait for the last answers."""
        stop = asyncio.Event()
        tasks = [asyncio.create_task(self._ask(caller, stop)) for caller in range(_CALLERS)]
        try:
            yield
        finally:
            stop.set()
            await asyncio.gather(*tasks)

    async def _ask(self, caller: int, stop: asyncio.Event) -> None:
        for number in count():
            if stop.is_set():
                return
            other = f"r{number}@c{caller}.example"
            try:
                status, answer = await self._balancer.post(_SENDS, {"other_emails": [other]})
            except (aiohttp.ClientError, OSError) as error:
                self.failed.append(repr(error))
            else:
                if status == 202:
                    self.accepted += [(answer["id"], email) for email in (_CUSTOMER, other)]
                else:
                    self.failed.append(f"{status} {answer}")
            await asyncio.sleep(_PAUSE)


async def test_each_of_two_is_restarted_under_load_and_nobody_notices(
    system: System, tmp_path: Path
) -> None:
    async with fleet(system, tmp_path) as instances:
        apis = [each.url for each in instances if each.kind == "api"]
        balancer = Balancer(apis, system.http.headers)
        callers = Callers(balancer)
        async with balancer.running():
            for url in apis:
                await balancer.until_ready(url)
            async with callers.asking():
                await asyncio.sleep(2)
                for instance in instances:
                    await _restart(instance)
                    if instance.kind == "api":
                        await balancer.until_ready(instance.url)
                    await asyncio.sleep(1)
        await soon(lambda: _settled(system), 300)  # a slow machine is behind by thousands of mails
        for instance in instances:
            instance.done += await _work(instance)
        for instance in instances:
            await instance.process.stop()  # which insists on status 0, within its grace

    assert callers.failed == []
    assert len(callers.accepted) > 200
    assert system.judge.counts() == Counter(callers.accepted)
    states = await system.db.fetch("SELECT DISTINCT state FROM deliveries")
    assert [row["state"] for row in states] == ["sent"]
    shares = [list(balancer.handled.values())]
    shares += [[each.done for each in instances if each.kind == kind] for kind in _FIGURES]
    for done in shares:
        assert min(done) > _LEAST_SHARE * sum(done), shares


async def _restart(instance: Instance) -> None:
    instance.done += await _work(instance)
    await instance.process.stop()
    instance.process = instance.start()
    await soon(lambda: is_answered(f"{instance.url}/health/ready"), 60)


_FIGURES = {
    "relay": r"^ledgerpost_wakeups_published_total (\S+)$",
    "mailer": r'^ledgerpost_delivery_attempts_total\{reason_class="none",state="sent"\} (\S+)$',
}


async def _work(instance: Instance) -> float:
    """The work that a process reports."""
    if instance.kind not in _FIGURES:
        return 0
    async with aiohttp.ClientSession() as http, http.get(f"{instance.url}/metrics") as response:
        found = re.search(_FIGURES[instance.kind], await response.text(), re.MULTILINE)
    return float(found[1]) if found else 0


async def _settled(system: System) -> bool:
    return not await system.db.fetchval(_OPEN)
