"""RabbitMQ crashes, loses data, refuses or hangs."""

import asyncio
import time
from random import Random

import aiohttp

from provision.ports import free_ports
from shared.amqp import topology
from tests.faults import queue
from tests.faults.cases import fault
from tests.faults.proxy import Proxy
from tests.faults.world import World

_RECORDED = """SELECT id FROM deliveries WHERE published_at IS NOT NULL
    AND send_id = (SELECT id FROM sends WHERE customer_id = $1)"""
_NOTICED = 3 * 10 + 15  # three heartbeats, in seconds, and what a busy machine adds to them


@fault("fault-09-one-message-a-hundred-times")
async def a_hundred_times(world: World, rng: Random) -> None:
    relay = world.relay()
    await world.send(rng.randrange(3))
    await world.until_count("published_at IS NOT NULL", await world.count("true"))
    await relay.stop()
    ids = [str(row["id"]) for row in await world.fetch("SELECT id FROM deliveries")]
    mailers = [world.mailer() for _ in range(2)]
    await asyncio.sleep(rng.uniform(0, 2))
    await queue.publish(world.amqp, *(queue.wakeup(rng.choice(ids)) for _ in range(100)))
    await queue.publish(world.amqp, *(queue.wakeup(ids[0]) for _ in range(100)))
    await world.settled()
    await world.until(lambda: _is_empty(world), "an empty queue")
    for mailer in mailers:
        await mailer.stop()
    assert await queue.length(world.amqp) == 0, "a message was not acknowledged"
    assert await queue.length(world.amqp, topology.DEAD_LETTERS) == 0


@fault("fault-10-broker-killed-in-a-burst", breaks="broker")
async def killed_in_burst(world: World, rng: Random) -> None:
    rabbitmq = world.neighbours.rabbitmq
    async with queue.channel(world.amqp) as opened:
        await topology.declare(opened)
    # RabbitMQ 3.10 never finds a leader again for a quorum queue that is younger than that.
    await asyncio.sleep(3)
    for _ in range(sends := 5 if world.full else 2):
        await world.send(899)
    world.relay(
        roomy=True, QUEUE_PATIENCE="60s"
    )  # so that only what was not confirmed is published again
    await world.until_count("published_at IS NOT NULL", 1)
    await asyncio.sleep(rng.uniform(0, 0.3))
    await asyncio.to_thread(rabbitmq.kill)
    await asyncio.sleep(1)  # what was confirmed before the end is recorded by now
    confirmed = await world.fetch("SELECT id FROM deliveries WHERE published_at IS NOT NULL")
    mailer = world.mailer(MAILER_CONCURRENCY="30")
    await asyncio.sleep(rng.uniform(0, 3))
    world.relay()
    for child in world.children:
        await child.freeze()
    begun = time.monotonic()
    await asyncio.to_thread(rabbitmq.start)
    world.note(f"the broker's port opened after {time.monotonic() - begun:.1f} s")
    kept = set(await queue.waiting(world.amqp))
    lost = {str(row["id"]) for row in confirmed} - kept
    assert confirmed
    assert not lost, f"{len(lost)} of {len(confirmed)} confirmed messages were lost"
    thawed = time.monotonic()
    for child in world.children:
        child.thaw()
    await world.until_count("state = 'sent'", 1)
    world.note(f"consuming again {time.monotonic() - thawed:.1f} s after the broker's port opened")
    assert mailer.alive
    await world.settled(120 + 20 * sends)


@fault("fault-11-broker-wiped", "before-it-is-consumed", "in-the-middle", breaks="broker")
async def wiped(world: World, rng: Random, variant: str) -> None:
    world.relay(roomy=True)
    for customer in (4, 5):
        await world.send(499, customer=customer)
    await world.until_count("published_at IS NOT NULL", 1000)
    if early := variant == "in-the-middle":
        world.mailer(MAILER_CONCURRENCY="30")
        await world.until_count("state = 'sent'", rng.randrange(1, 300))
    await asyncio.to_thread(world.neighbours.rabbitmq.wipe)
    await asyncio.to_thread(world.neighbours.rabbitmq.start)
    if not early:
        world.mailer(MAILER_CONCURRENCY="30")
    await world.settled(120)
    assert len(world.judge.accepted) == 1000


@fault("fault-12-queue", "deleted", "unbound")
async def not_routed(world: World, rng: Random, variant: str) -> None:
    relay = world.relay(roomy=True)
    await world.send(before := rng.randrange(1, 200))
    await world.until_count("published_at IS NOT NULL", 1 + before)
    async with queue.channel(world.amqp) as opened:
        if variant == "deleted":
            await opened.queue_delete(topology.DELIVERIES)
        else:
            bound = await opened.get_queue(topology.DELIVERIES)
            await bound.unbind(topology.DELIVERIES, topology.DELIVERIES)
        await world.send(after := rng.randrange(1, 200), customer=5)
    # The relay, which is told that nothing took its messages, restores what was lost.
    await world.until_count("published_at IS NOT NULL", 2 + before + after)
    await relay.stop()
    recorded = await world.fetch(_RECORDED, 5)
    assert len(recorded) == 1 + after
    unrouted = {str(row["id"]) for row in recorded} - set(await queue.waiting(world.amqp))
    assert not unrouted, f"{len(unrouted)} recorded as published, but in no queue"
    world.relay()
    world.mailer()
    await world.until_count("state = 'sent'", 2 + before + after)
    # And once more under the feet of a consumer, who has to come back by himself.
    async with queue.channel(world.amqp) as opened:
        await world.send(after, customer=7)
        await opened.queue_delete(topology.DELIVERIES)
    await world.settled()


@fault("fault-13-black-hole")
async def black_hole(world: World, rng: Random) -> None:
    ops, relay_ops = free_ports(2)
    async with Proxy(world.amqp) as mailers, Proxy(world.amqp) as relays:
        world.mailer(AMQP_URL=mailers.url, MAILER_OPS_PORT=str(ops))
        world.relay(AMQP_URL=relays.url, RELAY_OPS_PORT=str(relay_ops))
        await world.send(rng.randrange(20))
        await world.settled()
        for port in (ops, relay_ops):
            await world.until(lambda port=port: _is_ready(port), "ready")  # type: ignore[misc]  # bound
        for proxy in (mailers, relays):
            proxy.black_hole()
        begun = time.monotonic()
        await world.send(rng.randrange(20), customer=5)
        for port in (ops, relay_ops):
            left = _NOTICED - (time.monotonic() - begun)
            await world.until(lambda port=port: _is_red(port), "readiness red", left)  # type: ignore[misc]  # bound
            world.note(f"port {port} red {time.monotonic() - begun:.1f} s after the silence began")
        assert await world.count("published_at IS NOT NULL AND state = 'queued'") == 0
        if world.full:
            await asyncio.sleep(60 - (time.monotonic() - begun))
        for proxy in (mailers, relays):
            proxy.heal()
        await world.settled()
        for port in (ops, relay_ops):
            await world.until(lambda port=port: _is_ready(port), "ready again")  # type: ignore[misc]  # bound
        for child in world.children:
            await child.stop()


@fault("fault-14-disk-alarm", breaks="broker")
async def disk_alarm(world: World, rng: Random) -> None:
    rabbitmq = world.neighbours.rabbitmq
    relay = world.relay(roomy=True)
    await world.send(queued := rng.randrange(50, 200))
    await world.until_count("published_at IS NOT NULL", 1 + queued)
    try:
        await asyncio.to_thread(rabbitmq.control, "set_disk_free_limit", "100000GB")
        # Publishers stand still; the API does not, and neither do consumers and their acks.
        world.mailer()
        for customer in (5, 7):
            await world.send(rng.randrange(20), customer=customer)
        await world.until_count("state = 'sent'", 1 + queued)
        await world.until(lambda: _is_empty(world), "an empty queue")
        assert await world.count("published_at IS NULL") == await world.count("state <> 'sent'")
        assert relay.alive
    finally:
        await asyncio.to_thread(rabbitmq.control, "set_disk_free_limit", "50MB")
    await world.settled()


async def _is_empty(world: World) -> bool:
    return await queue.length(world.amqp) == 0


async def _is_ready(port: int) -> bool:
    return await _readiness(port) == 200


async def _is_red(port: int) -> bool:
    return await _readiness(port) == 503


async def _readiness(port: int) -> int:
    url = f"http://127.0.0.1:{port}/health/ready"
    async with aiohttp.ClientSession() as http, http.get(url) as response:
        return response.status
