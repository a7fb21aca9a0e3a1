"""The fault behind each alert, made for real and repaired at the end of its block."""

import asyncio
import os
import resource
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final, TypeAlias

import asyncpg

from services.mailer import dead_letters
from tests.alerts.world import World
from tests.journeys.conftest import soon
from tests.judge.script import Drop, Say
from tests.peer import peer

_MANY = 12  # mails of one send
_MONTHLY = {
    "name": "Monthly",
    "rule": {"every": "month", "day": 1},
    "time": "09:00",
    "period": "last-month",
}
_LOSE_TIMEZONE = (
    "UPDATE schedules SET timezone = 'Atlantis/Capital', next_at = now(), due_at = now()"
)
_DOUBTED = "SELECT id FROM deliveries WHERE state = 'in_doubt'"

Fault: TypeAlias = Callable[[World], AbstractAsyncContextManager[None]]


@asynccontextmanager
async def mailer_killed(world: World) -> AsyncIterator[None]:
    await world.mailer.kill()
    yield
    world.mailer = world.start_mailer()


@asynccontextmanager
async def mail_due_for_an_hour(world: World) -> AsyncIterator[None]:
    """Nobody takes a mail that was due an hour ago."""
    async with mailer_killed(world):
        send = await world.send()
        await world.system.db.execute(
            "UPDATE sends SET send_at = send_at - interval '1 hour' WHERE id = $1", send
        )
        yield


@asynccontextmanager
async def smtp_server_stopped(world: World) -> AsyncIterator[None]:
    judge = world.system.judge
    await judge.stop()
    await world.send()
    yield
    await judge.__aenter__()


@asynccontextmanager
async def recipients_unknown(world: World) -> AsyncIterator[None]:
    async with _refused(world, "rcpt", "550 5.1.1 nobody of this name", "unknown"):
        yield


@asynccontextmanager
async def mails_refused_by_policy(world: World) -> AsyncIterator[None]:
    async with _refused(world, "dot", "554 5.7.1 your domain is on a list", "policy"):
        yield


@asynccontextmanager
async def _refused(world: World, step: str, reply: str, domain: str) -> AsyncIterator[None]:
    """The SMTP server takes the customer's mail, and refuses all others."""
    others = [f"r{number}@{domain}.example" for number in range(_MANY)]
    judge = world.system.judge
    rules = [judge.on(step, Say(reply), recipient=each) for each in others]  # type: ignore[arg-type]
    await world.send(*others)
    yield
    for rule in rules:
        judge.rules.remove(rule)


@asynccontextmanager
async def reply_lost(world: World) -> AsyncIterator[None]:
    """The SMTP server is gone after the last dot: the mail is in doubt until a person decides."""
    rule = world.system.judge.on("dot", Drop(), times=1)
    await world.send()
    yield
    world.system.judge.rules.remove(rule)
    for row in await world.system.db.fetch(_DOUBTED):
        url = f"{world.api_url}/api/v3/deliveries/{row['id']}/resolve"
        async with world.system.http.post(url, json={"as": "sent"}) as response:
            assert response.status == 200, await response.text()


@asynccontextmanager
async def message_unreadable(world: World) -> AsyncIterator[None]:
    async with peer(world.system.amqp, None) as other:
        await other.ask(b"{")
        await other.dead(1)
    yield
    assert len(await dead_letters.drop(world.system.amqp, None)) == 1


@asynccontextmanager
async def database_cut_off(world: World) -> AsyncIterator[None]:
    """The API does not reach Postgres, and callers go on asking."""
    await world.database.cut()
    asking = asyncio.create_task(_ask_on(world))
    try:
        yield
    finally:
        asking.cancel()
        await world.database.open()
    await soon(lambda: _answers(world), 60)


@asynccontextmanager
async def table_locked(world: World) -> AsyncIterator[None]:
    """Requests wait for six seconds, because somebody holds a lock."""
    conn = await asyncpg.connect(world.system.dsn)
    async with conn.transaction():
        await conn.execute("LOCK TABLE sends IN ACCESS EXCLUSIVE MODE")
        asked = [asyncio.create_task(world.send()) for _ in range(4)]
        await conn.execute("SELECT pg_sleep(6)")
    await conn.close()
    await asyncio.gather(*asked)
    yield


@asynccontextmanager
async def broker_cut_off(world: World) -> AsyncIterator[None]:
    await world.broker.cut()
    yield
    await world.broker.open()


@asynccontextmanager
async def descriptors_run_out(world: World) -> AsyncIterator[None]:
    """The mailer may have hardly more files open than it has."""
    used = len(os.listdir(f"/proc/{world.mailer.pid}/fd"))  # noqa: PTH208 - no file is read
    limits = resource.prlimit(world.mailer.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(world.mailer.pid, resource.RLIMIT_NOFILE, (used + 2, limits[1]))
    yield
    resource.prlimit(world.mailer.pid, resource.RLIMIT_NOFILE, limits)


@asynccontextmanager
async def timezone_lost(world: World) -> AsyncIterator[None]:
    """A schedule is due whose timezone is not known any more."""
    schedules = f"{world.api_url}/api/v3/schedules"
    async with world.system.http.post(schedules, json=_MONTHLY) as response:
        assert response.status == 201, await response.text()
        schedule = await response.json()
    await world.system.db.execute(_LOSE_TIMEZONE)
    yield
    async with world.system.http.delete(f"{schedules}/{schedule['id']}") as response:
        assert response.status == 204, await response.text()


async def _ask_on(world: World) -> None:
    while True:
        await world.ask()
        await asyncio.sleep(0.2)


async def _answers(world: World) -> bool:
    return await world.ask() == 200


#: The fault of each alert, in the order in which they are made.
FAULTS: Final[dict[str, Fault]] = {
    "LedgerpostDeadLetters": message_unreadable,
    "LedgerpostSmtpServerUnavailable": smtp_server_stopped,
    "LedgerpostProcessDown": mailer_killed,
    "LedgerpostMailsLate": mail_due_for_an_hour,
    "LedgerpostMailsInDoubt": reply_lost,
    "LedgerpostMailsFailing": recipients_unknown,
    "LedgerpostPolicyRefusals": mails_refused_by_policy,
    "LedgerpostApiErrors": database_cut_off,
    "LedgerpostApiSlow": table_locked,
    "LedgerpostResourceUnavailable": broker_cut_off,
    "LedgerpostConnectionsExhausted": descriptors_run_out,
    "LedgerpostSchedulesWaiting": timezone_lost,
}
#: Those of each run of the tests: they need no window of time.
SHORT: Final = tuple(FAULTS)[:4]
