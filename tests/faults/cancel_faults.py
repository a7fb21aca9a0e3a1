"""A batch is cancelled while it becomes sends and mails, or its audience changes."""

import asyncio
from random import Random
from typing import Any
from uuid import uuid4

import aiohttp

from tests.commands import ended
from tests.faults import batches, tap
from tests.faults.api_faults import Api
from tests.faults.batches import Audience
from tests.faults.cases import fault
from tests.faults.world import World
from tests.judge.script import Delay

_WIDTH = 10  # connections of the mailer


@fault("fault-22-batch-cancelled", "while-expanding", "in-a-step", "while-sending")
async def cancelled(world: World, rng: Random, variant: str) -> None:
    """After the answer, each connection of the mailer finishes one hand-over at most."""
    people = await batches.audience(world, 900 if world.full else 450)
    world.judge.on("dot", Delay(0.02))
    postgres = await world.tapped()
    trap = postgres.trap(tap.COMMIT, "request", rng.randrange(2), after=tap.EXPAND)
    if variant == "in-a-step":
        world.relay(DATABASE_URL=postgres.url)
    else:
        for _ in range(2):
            world.relay()
    batches.mailer(world, _WIDTH)
    batch = await batches.ask(world)
    if variant == "in-a-step":
        await trap.reached()
        cancelling = asyncio.create_task(_cancel(world.http, batch))
        await asyncio.sleep(rng.uniform(0.2, 1))
        assert not cancelling.done(), "it waits for the end of the step"
        trap.released.set()
        await cancelling
    else:
        parts = (0, 0.3) if variant == "while-expanding" else (0.5, 0.7)
        await batches.progress(world, batch, rng.uniform(*parts))
        await _cancel(world.http, batch)
    handed_over = len(world.judge.accepted)
    await _nothing_more_goes_out(world, batch, people)
    assert len(world.judge.accepted) - handed_over <= _WIDTH


@fault("fault-22-api-killed-in-a-cancel", "before-its-commit", "after-its-commit")
async def api_killed(world: World, rng: Random, variant: str) -> None:
    """A cancel is not begun, or a relay finishes it; nobody got an answer to count from."""
    people = await batches.audience(world, 3000 if world.full else 450)
    world.judge.on("dot", Delay(0.02))
    postgres = await world.tapped()
    holds = "request" if variant == "before-its-commit" else "answer"
    trap = postgres.trap(tap.COMMIT, holds, after=tap.CANCEL_BATCH)  # type: ignore[arg-type]
    world.relay()
    batch = await batches.ask(world)
    await batches.progress(world, batch, rng.uniform(0, 0.5))
    api = Api(world, postgres.url)
    await world.until(api.serves, "an API that serves")
    async with world.client(api.url) as http:
        cancelling = asyncio.create_task(_cancel(http, batch))
        await trap.reached()
        await api.process.kill()
        postgres.drop()
        assert isinstance((await asyncio.gather(cancelling, return_exceptions=True))[0], Exception)
    batches.mailer(world, _WIDTH)
    if variant == "before-its-commit":
        await batches.finished(world, batch, people)
        return
    await _nothing_more_goes_out(world, batch, people)

    async def is_finished() -> bool:
        return not (await world.fetch("SELECT is_cancelling FROM batches"))[0][0]

    await world.until(is_finished, "a cancel that a relay has finished")


async def _cancel(http: aiohttp.ClientSession, batch: str) -> dict[str, Any]:
    key = {"Idempotency-Key": str(uuid4())}
    while True:
        async with http.post(f"/api/v3/batches/{batch}/cancel", headers=key) as response:
            if response.status == 503:  # a busy machine
                continue
            assert response.status == 200, await response.text()
            shown: dict[str, Any] = await response.json()
            return shown


async def _nothing_more_goes_out(world: World, batch: str, people: Audience) -> None:
    made = await world.count("true")
    await world.settled()
    await asyncio.sleep(2)  # whatever would still be expanded or sent
    assert await world.count("true") == made, "customers became sends after the cancel"
    shown = await batches.show(world, batch)
    assert shown["status"] == "cancelled"
    counts = shown["counts"]
    assert counts.keys() <= {"sent", "cancelled"}, counts
    assert sum(counts.values()) == made
    assert counts.get("sent", 0) == len(world.judge.accepted) < len(people.mailed)
    assert await batches.charged(world, cancelled=True) == made, "given back once"


@fault("fault-22-frozen-list-whose-audience-changes", "before-the-request", "after-the-request")
async def audience_changes(world: World, rng: Random, variant: str) -> None:
    """Who was edited, suppressed or deleted since the dry run is not mailed, and is counted."""
    people = await batches.audience(world, rng.randrange(60, 300))
    plan = await batches.post(world.http, str(uuid4()), dry_run=True)
    assert plan["recipients"] == len(people.mailed)
    asked = {"frozen_list": plan["frozen_list"]["id"]}
    edited, suppressed, deleted = changed = rng.sample(sorted(people.mailed), 3)
    if variant == "after-the-request":
        batch = await batches.ask(world, **asked)
    await world.fetch(
        "UPDATE customers SET business_email = 'new@x.example' WHERE business_email = $1", edited
    )
    await world.fetch("INSERT INTO suppressions VALUES (1, $1, 'by hand', now(), $2)",
                      suppressed, "suppressed_by_business")  # fmt: skip
    await world.fetch("DELETE FROM customers WHERE business_email = $1", deleted)
    await batches.add(world, "new one", "new-one@x.example")
    if variant == "before-the-request":
        batch = await batches.ask(world, **asked)
    first = world.relay()
    world.relay()
    batches.mailer(world)
    await asyncio.sleep(rng.uniform(0, 2))
    await first.kill()
    left = Audience(people.mailed - set(changed), {"audience_changed": 3})
    await batches.finished(world, batch, left)
    assert await batches.charged(world) == len(left.mailed)


@fault("fault-22-batch-restored")
async def restored(world: World, rng: Random) -> None:
    """After a restore, a batch that was under way is not continued by itself."""
    people = await batches.audience(world, 450)
    postgres = await world.tapped()
    trap = postgres.trap(tap.COMMIT, "answer", rng.randrange(2), after=tap.EXPAND)
    killed = world.relay(DATABASE_URL=postgres.url)
    batch = await batches.ask(world)
    later = await batches.ask(world, send_at="2999-01-01")
    await trap.reached()
    await killed.kill()
    postgres.drop()
    made = world.injected = await world.count("true")
    assert 0 < made < len(people.mailed)
    by_the_owner = {"DATABASE_URL": world.dsn}
    done = await ended("services.api", "quarantine", "--yes", settings=by_the_owner)
    assert done.status == 0, done
    for _ in range(2):
        world.relay()
    batches.mailer(world)
    await asyncio.sleep(3)
    shown = await batches.show(world, batch)
    assert (shown["status"], shown["reason_code"]) == ("failed", "database_restored")
    assert shown["counts"] == {"in_doubt": made}
    assert (await batches.show(world, later))["status"] == "scheduled"
    assert not world.judge.accepted
    await batches.finished(world, await batches.ask(world), people)
