"""Processes and servers are killed while a batch becomes sends and mails."""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random

import aiohttp

from tests.faults import batches, tap
from tests.faults.api_faults import Api
from tests.faults.batches import Audience
from tests.faults.cases import fault
from tests.faults.world import World
from tests.judge.script import Delay

Kill = Callable[[], Awaitable[None]]


@fault("fault-22-batch-three-kills-of", "relay", "mailer")
async def killed_three_times(world: World, rng: Random, variant: str) -> None:
    people = await batches.audience(world, 1000 if world.full else 220)
    relays = [world.relay(), world.relay()]
    mailer = batches.mailer(world)
    batch = await batches.ask(world)

    async def kill() -> None:
        nonlocal mailer
        if variant == "mailer":
            await world.kill_mailer(mailer)
            mailer = batches.mailer(world)
            return
        for _ in range(rng.randrange(1, 3)):
            await relays.pop(rng.randrange(len(relays))).kill()
        relays.extend(world.relay() for _ in range(2 - len(relays)))

    await _at_random_moments(world, rng, batch, kill)
    await _all_mailed_once(world, batch, people)


@fault("fault-22-batch-three-kills-of-postgres", breaks="postgres")
async def postgres_killed(world: World, rng: Random) -> None:
    people, batch = await _begun(world)

    async def kill() -> None:
        await asyncio.to_thread(world.neighbours.postgres.kill)
        await asyncio.sleep(rng.uniform(0, 1))
        await asyncio.to_thread(world.neighbours.postgres.start)

    await _at_random_moments(world, rng, batch, kill)
    await _all_mailed_once(world, batch, people)


@fault("fault-22-batch-three-kills-of-rabbitmq", breaks="broker")
async def rabbitmq_killed(world: World, rng: Random) -> None:
    people, batch = await _begun(world)

    async def kill() -> None:
        # RabbitMQ 3.10 never finds a leader again for a quorum queue that is younger than that.
        await asyncio.sleep(3)
        await asyncio.to_thread(world.neighbours.rabbitmq.kill)
        await asyncio.to_thread(world.neighbours.rabbitmq.start)

    await _at_random_moments(world, rng, batch, kill, times=3 if world.full else 1)
    await _all_mailed_once(world, batch, people)


async def _begun(world: World) -> tuple[Audience, str]:
    """Request a batch with two relays and a mailer; return whom it is for, and its id."""
    people = await batches.audience(world, 1000 if world.full else 220)
    for _ in range(2):
        world.relay()
    batches.mailer(world)
    return people, await batches.ask(world)


async def _at_random_moments(
    world: World, rng: Random, batch: str, kill: Kill, times: int = 3
) -> None:
    """Kill in each part of the batch's run; its mails are slow enough to be met under way."""
    world.judge.on("dot", Delay(0.01))
    for number in range(times):
        await batches.progress(world, batch, (number + rng.random()) / times)
        await kill()


async def _all_mailed_once(world: World, batch: str, people: Audience) -> None:
    await batches.finished(world, batch, people)
    assert await batches.charged(world) == len(people.mailed), "given back once"


@fault("fault-22-batch-three-kills-of-the-api")
async def api_killed_at_random(world: World, rng: Random) -> None:
    people = await batches.audience(world, 1000 if world.full else 220)
    for _ in range(2):
        world.relay()
    batches.mailer(world)
    for _ in range(3):
        asking = asyncio.create_task(_ask(world, api := Api(world)))
        await world.until(api.serves, "an API that serves")
        await asyncio.sleep(rng.uniform(0, 0.3))
        await api.process.kill()
        await asking
    batch = await _ask(world, Api(world))
    assert batch is not None
    assert len(await world.fetch("SELECT FROM batches")) == 1
    await _all_mailed_once(world, batch, people)


@fault("fault-22-api-killed-in-a-bulk-request", "before-its-commit", "after-its-commit")
async def api_killed(world: World, rng: Random, variant: str) -> None:
    people = await batches.audience(world, rng.randrange(100, 300))
    postgres = await world.tapped()
    holds = "request" if variant == "before-its-commit" else "answer"
    trap = postgres.trap(tap.COMMIT, holds, after=tap.ACCEPT_BATCH)  # type: ignore[arg-type]
    asking = asyncio.create_task(_ask(world, api := Api(world, postgres.url)))
    await trap.reached()
    if variant == "after-its-commit":
        await world.until(lambda: _is_stored(world), "a batch that is stored")
    await api.process.kill()
    postgres.drop()
    assert await asking is None

    async def is_over() -> bool:
        return not await world.fetch(_API_AT_WORK)

    await world.until(is_over, "what the dead API asked is over")
    stored = [str(row["id"]) for row in await world.fetch("SELECT id FROM batches")]
    if variant == "before-its-commit":
        for table in ("batches", "batch_customers", "idempotency_keys", "business_events"):
            assert (await world.fetch(f"SELECT count(*) FROM {table}"))[0][0] == 0, table
        assert await batches.charged(world) == 0
    else:
        assert len(await world.fetch("SELECT FROM batch_customers")) == people.customers
    batch = await _ask(world, again := Api(world))
    assert batch is not None
    assert stored in ([], [batch])
    assert await _ask(world, again) == batch
    await _go_out(world, batch, people)


@fault("fault-22-api-frozen-in-a-bulk-request")
async def api_frozen(world: World, rng: Random) -> None:
    """An API that hangs does not keep the business from its other sends."""
    people = await batches.audience(world, rng.randrange(100, 300))
    postgres = await world.tapped()
    trap = postgres.trap(tap.COMMIT, "request", after=tap.ACCEPT_BATCH)
    asking = asyncio.create_task(_ask(world, api := Api(world, postgres.url)))
    await trap.reached()
    await api.process.freeze()
    batch = str((await batches.post(world.http, "once"))["id"])
    await _go_out(world, batch, people)
    trap.released.set()
    api.process.thaw()
    assert await asking in {None, batch}
    assert len(await world.fetch("SELECT FROM batches")) == 1


async def _go_out(world: World, batch: str, people: Audience) -> None:
    world.relay()
    batches.mailer(world)
    await _all_mailed_once(world, batch, people)


_API_AT_WORK = """SELECT pid FROM pg_stat_activity WHERE datname = current_database()
    AND application_name = 'ledgerpost-api' AND xact_start IS NOT NULL AND state <> 'idle'"""


async def _is_stored(world: World) -> bool:
    return bool(await world.fetch("SELECT FROM batches"))


async def _ask(world: World, api: Api) -> str | None:
    """Request a batch with one key until it is answered; None if the API is killed meanwhile."""
    async with world.client(api.url) as http, asyncio.timeout(180):
        while True:
            try:
                return str((await batches.post(http, "once"))["id"])
            except aiohttp.ClientConnectorError:
                if not api.process.alive:
                    return None
                await asyncio.sleep(0.05)  # it is starting
            except (aiohttp.ClientError, OSError):
                return None


@fault(
    "fault-22-relay-in-a-step",
    "killed-before-its-commit",
    "killed-after-its-commit",
    "frozen-before-its-commit",
    "frozen-after-its-commit",
)
async def relay_in_a_step(world: World, rng: Random, variant: str) -> None:
    """A step is all or nothing, and a relay that hangs in it does not hold the batch up."""
    people = await batches.audience(world, 450)
    batch = await batches.ask(world)
    postgres = await world.tapped()
    fate, _, moment = variant.partition("-")
    holds = "request" if moment == "before-its-commit" else "answer"
    trap = postgres.trap(tap.COMMIT, holds, rng.randrange(2), after=tap.EXPAND)  # type: ignore[arg-type]
    first = world.relay(DATABASE_URL=postgres.url)
    await trap.reached()
    if fate == "killed":
        await first.kill()
        postgres.drop()
    else:
        await first.freeze()
    world.relay()
    batches.mailer(world)
    await batches.finished(world, batch, people)
    if fate == "frozen":
        trap.released.set()
        first.thaw()
        await asyncio.sleep(1)  # whatever it would still do
    await _all_mailed_once(world, batch, people)


@fault("fault-22-two-relays-one-frozen-in-a-batch")
async def frozen_anywhere(world: World, rng: Random) -> None:
    people = await batches.audience(world, 1000 if world.full else 420)
    frozen = world.relay()
    world.relay()
    batches.mailer(world)
    batch = await batches.ask(world)
    await batches.progress(world, batch, rng.uniform(0, 0.5))
    await asyncio.sleep(rng.uniform(0, 0.1))
    await frozen.freeze()
    await batches.finished(world, batch, people)
    frozen.thaw()
    await asyncio.sleep(1)
    await _all_mailed_once(world, batch, people)
