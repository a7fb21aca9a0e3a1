"""The relay dies or stands still between what it publishes and what it records."""

import asyncio
from collections import Counter
from random import Random

from tests.faults import tap
from tests.faults.cases import fault
from tests.faults.queue import waiting
from tests.faults.world import World


@fault("fault-02-relay-killed-after-the-confirm")
async def killed_after_confirm(world: World, rng: Random) -> None:
    postgres = await world.tapped()
    trap = postgres.trap(tap.CONFIRM, "request")
    first = world.relay(DATABASE_URL=postgres.url)
    await world.send(others := rng.randrange(30))
    await trap.reached()
    await first.kill()
    assert await world.count("published_at IS NOT NULL") == 0
    second = world.relay()
    await world.until_count("published_at IS NOT NULL", 1 + others)
    await second.stop()
    published = Counter(await waiting(world.amqp))
    assert set(published) == {
        str(row["id"]) for row in await world.fetch("SELECT id FROM deliveries")
    }
    assert set(published.values()) == {2}, "published before and after the crash, under one id"
    world.mailer()
    await world.settled()


@fault("fault-03-two-relays-one-frozen")
async def two_relays(world: World, rng: Random) -> None:
    sends = 10 if world.full else 1
    for _ in range(sends):
        await world.send(999)
    postgres = await world.tapped()
    # Rows queued but unpublished, published but unrecorded, or wherever it is just then.
    marker, holds = rng.choice(
        [(tap.ENQUEUE, "answer"), (tap.CONFIRM, "request"), (tap.ENQUEUE, "nothing")]
    )
    trap = postgres.trap(marker, holds, skip=rng.randrange(2 * sends))  # type: ignore[arg-type]  # literals
    frozen = world.relay(DATABASE_URL=postgres.url)
    await trap.reached()
    if holds == "nothing":
        await asyncio.sleep(rng.uniform(0, 0.2))
    await frozen.freeze()
    trap.released.set()
    world.relay()
    world.mailer(MAILER_CONCURRENCY="30")
    await asyncio.sleep(rng.uniform(3, 5))  # past what it promised the rows that it had taken
    frozen.thaw()
    await world.settled(60 + 20 * sends)
    assert len(world.judge.accepted) == 1000 * sends
