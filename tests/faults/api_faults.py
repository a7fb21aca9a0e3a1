"""The API crashes around the COMMIT of a request."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from random import Random

import aiohttp
import asyncpg

from provision.ports import free_ports
from tests.faults import tap
from tests.faults.cases import fault
from tests.faults.processes import Child
from tests.faults.world import World


@fault("fault-01-api-killed-before-commit", "unasked", "in-the-statement")
async def killed_before_commit(world: World, rng: Random, variant: str) -> None:
    others = [f"r{number}@x.example" for number in range(rng.randrange(1, 25))]
    postgres = await world.tapped()
    trap = postgres.trap(tap.ACCEPT, "request")
    asking = asyncio.create_task(_ask(world, api := Api(world, postgres.url), others))
    await trap.reached()
    async with _locked(world):
        if variant == "in-the-statement":
            trap.released.set()
            await world.until(lambda: _waits(world), "it waits for a lock")
        await api.process.kill()
        postgres.drop()
        await world.fetch(f"SELECT pg_terminate_backend(pid) FROM ({_WAITING}) AS api")
        assert await asking is None
        await world.until(lambda: _is_over(world), "what the dead API asked is rolled back")
    for table in ("sends", "deliveries", "idempotency_keys", "delivery_events"):
        assert (await world.fetch(f"SELECT count(*) FROM {table}"))[0][0] == 0, table
    await _ask_again(world, others, None)


@fault("fault-01-api-killed-after-commit")
async def killed_after_commit(world: World, rng: Random) -> None:
    others = [f"r{number}@x.example" for number in range(rng.randrange(1, 25))]
    postgres = await world.tapped()
    trap = postgres.trap(tap.ACCEPT, "answer")
    asking = asyncio.create_task(_ask(world, api := Api(world, postgres.url), others))
    await trap.reached()
    await world.until_count("true", 1 + len(others))
    await api.process.kill()
    assert await asking is None
    [stored] = await world.fetch("SELECT id FROM sends")
    await _ask_again(world, others, str(stored["id"]))


_API = """SELECT pid FROM pg_stat_activity WHERE datname = current_database()
    AND application_name = 'ledgerpost-api'"""
_WAITING = f"{_API} AND wait_event_type = 'Lock'"
_AT_WORK = f"{_API} AND xact_start IS NOT NULL"


@asynccontextmanager
async def _locked(world: World) -> AsyncIterator[None]:
    """Block the storing of deliveries within the block."""
    blocker = await asyncpg.connect(world.dsn)
    try:
        async with blocker.transaction():
            await blocker.execute("LOCK TABLE deliveries IN SHARE MODE")
            yield
    finally:
        await blocker.close()


async def _waits(world: World) -> bool:
    return bool(await world.fetch(_WAITING))


async def _is_over(world: World) -> bool:
    return not await world.fetch(_AT_WORK)


class Api:
    """A real API process and its client."""

    def __init__(self, world: World, database_url: str | None = None, **settings: str) -> None:
        [port] = free_ports(1)
        self.url = f"http://127.0.0.1:{port}"
        given = {"DATABASE_URL": database_url or world.dsn} | settings
        self.process: Child = world.api(port, **given)

    async def serves(self) -> bool:
        """Return whether it accepts requests by now."""
        try:
            async with aiohttp.ClientSession(self.url) as http, http.get("/health/live") as answer:
                return answer.status == HTTPStatus.OK
        except aiohttp.ClientError:
            return False


async def _ask(world: World, api: Api, others: list[str]) -> str | None:
    """Send a request with one key until it is answered or disconnected; return the send's id."""
    async with world.client(api.url) as http, asyncio.timeout(180):
        while True:
            try:
                async with http.post(
                    "/api/v3/clients/4/transactions/send?from=2024-11-01&to=2024-11-30",
                    json={"other_emails": others},
                    headers={"Idempotency-Key": "once"},
                ) as response:
                    if response.status == HTTPStatus.SERVICE_UNAVAILABLE:
                        continue  # a busy machine let its first connection to Postgres wait
                    assert response.status == HTTPStatus.ACCEPTED, await response.text()
                    return str((await response.json())["id"])
            except aiohttp.ClientConnectorError:
                if not api.process.alive:
                    return None
                await asyncio.sleep(0.05)  # it is starting
            except (aiohttp.ClientError, OSError):
                return None


async def _ask_again(world: World, others: list[str], stored: str | None) -> None:
    """Repeat the request twice: there is one send, and each of its mails goes out once."""
    api = Api(world)
    first = await _ask(world, api, others)
    assert first is not None
    assert stored in {None, first}
    assert await _ask(world, api, others) == first
    assert await world.count("true") == 1 + len(others)
    assert len(await world.fetch("SELECT FROM sends")) == 1
    world.relay()
    world.mailer()
    await world.settled()
    assert len(world.judge.accepted) == 1 + len(others)
