"""The relay crashes or hangs between publishing and recording."""

import asyncio
import json
from collections import Counter
from math import ceil
from random import Random

from aio_pika.abc import AbstractIncomingMessage

from services.api.relay import room
from shared.amqp import topology
from tests.faults import tap
from tests.faults.cases import fault
from tests.faults.queue import channel, waiting
from tests.faults.world import World


@fault("fault-02-relay-killed-after-the-confirm")
async def killed_after_confirm(world: World, rng: Random) -> None:
    postgres = await world.tapped()
    trap = postgres.trap(tap.CONFIRM, "request")
    first = world.relay(roomy=True, DATABASE_URL=postgres.url)
    await world.send(others := rng.randrange(30))
    await trap.reached()
    await first.kill()
    assert await world.count("published_at IS NOT NULL") == 0
    second = world.relay(roomy=True)
    await world.until_count("published_at IS NOT NULL", 1 + others)
    await second.stop()
    published = Counter(await waiting(world.amqp))
    assert set(published) == {
        str(row["id"]) for row in await world.fetch("SELECT id FROM deliveries")
    }
    assert min(published.values()) > 1, "published before and after the crash, under one id"
    world.mailer()
    await world.settled()


@fault("fault-03-two-relays-one-frozen", "unpublished", "unrecorded", "anywhere")
async def two_relays(world: World, rng: Random, variant: str) -> None:
    sends = 12 if world.full else 1
    for _ in range(sends):
        await world.send(899)
    postgres = await world.tapped()
    marker = tap.CONFIRM if variant == "unrecorded" else tap.ENQUEUE
    skip = rng.randrange(ceil(900 * sends / room.MOST))  # so many batches there are at least
    trap = postgres.trap(marker, "request" if variant == "unrecorded" else "answer", skip)
    frozen = world.relay(roomy=True, DATABASE_URL=postgres.url)
    await trap.reached()
    if variant == "anywhere":
        trap.released.set()
        await asyncio.sleep(rng.uniform(0, 0.2))
    await frozen.freeze()
    trap.released.set()
    world.relay()
    world.mailer(MAILER_CONCURRENCY="30")
    await asyncio.sleep(rng.uniform(3, 5))  # past what it promised the rows that it had taken
    frozen.thaw()
    await world.settled(120 + 20 * sends)
    assert len(world.judge.accepted) == 900 * sends


@fault("fault-03-relay-frozen-with-events", "unpublished", "unrecorded")
async def frozen_with_events(world: World, rng: Random, variant: str) -> None:
    """Another relay continues to publish the events of each delivery in order."""
    heard: list[tuple[str, int]] = []

    async def hear(message: AbstractIncomingMessage) -> None:
        change = json.loads(message.body)["data"]
        heard.append((change["delivery_id"], change["sequence"]))

    postgres = await world.tapped()
    trap = (
        postgres.trap(tap.EVENTS, "answer")
        if variant == "unpublished"
        else postgres.trap(tap.TOLD, "request")
    )
    async with channel(world.amqp) as opened:
        await topology.declare(opened)
        subscriber = await opened.declare_queue(exclusive=True)
        await subscriber.bind(topology.EVENTS, "delivery.#")
        await subscriber.consume(hear, no_ack=True)
        frozen = world.relay(DATABASE_URL=postgres.url)
        await world.send(rng.randrange(50))
        await trap.reached()
        await frozen.freeze()
        trap.released.set()
        world.relay()
        world.mailer()
        await world.settled()
        await world.until(lambda: _all_are_told(world, heard), "every event heard")
        frozen.thaw()
        await world.send(rng.randrange(5), customer=5)
        await world.settled()
        await world.until(lambda: _all_are_told(world, heard), "every event heard")
    first = list(dict.fromkeys(heard))
    assert first == sorted(first, key=lambda change: change[1])


async def _all_are_told(world: World, heard: list[tuple[str, int]]) -> bool:
    rows = await world.fetch("SELECT delivery_id, id, published_at FROM delivery_events")
    changes = {(str(row["delivery_id"]), row["id"]) for row in rows}
    return changes <= set(heard) and all(row["published_at"] for row in rows)
