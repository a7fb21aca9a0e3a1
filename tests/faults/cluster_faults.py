"""A node of a RabbitMQ cluster is killed; only `make faults` runs it, because it takes long."""

import asyncio
import os
import time
from itertools import pairwise
from random import Random

from provision.rabbitmq_cluster import Cluster
from provision.servers import own_cluster
from shared.amqp import topology
from tests.faults import queue
from tests.faults.cases import fault
from tests.faults.processes import ROOT
from tests.faults.world import World


@fault("cluster-leader-killed-in-a-burst")
async def leader_killed(world: World, rng: Random) -> None:
    name, other = f"faults-{os.getpid()}", os.environ.get("FAULTS_RABBITMQ")
    cluster = own_cluster(ROOT, name, other=other)
    try:
        await asyncio.to_thread(cluster.start)
        await _play(world, rng, cluster)
        for child in world.children:
            await child.stop()
    finally:
        await asyncio.to_thread(cluster.wipe)


async def _play(world: World, rng: Random, cluster: Cluster) -> None:
    for _ in range(2):
        world.relay(AMQP_URL=cluster.url)
        world.mailer(AMQP_URL=cluster.url, MAILER_CONCURRENCY="20")
    await world.send(899)
    await world.until_count("state = 'sent'", 300)
    leader, replicas = await asyncio.to_thread(_places, cluster)
    assert len(replicas) == 3, f"the queue is on {replicas} only"
    sending = [asyncio.create_task(world.send(899, customer=each)) for each in (5, 7)]
    await world.until_count("published_at IS NOT NULL", rng.randrange(901, 2600))
    killed = time.monotonic()
    await asyncio.to_thread(cluster.nodes[leader].kill)
    published = await world.count("published_at IS NOT NULL")
    await asyncio.gather(*sending)
    world.note(f"{leader} killed: {published} published, {_taken(world, killed)} mailed before")
    # Only one that is asked for now shows that publishing and consuming go on.
    await world.send(customer=4)
    later = time.monotonic()
    await world.until_count("state = 'sent' AND email = 'esi@customers.example.com'", 2)
    world.note(
        f"a send asked for after the kill was mailed within {time.monotonic() - later:.1f} s"
    )
    await world.settled(240)
    times = [killed, *sorted(mail.at for mail in world.judge.accepted if mail.at > killed)]
    gaps = [after - before for before, after in pairwise(times)]
    world.note(f"{len(gaps)} mailed after it, and never a pause longer than {max(gaps):.1f} s")
    survivor = next(node for node in cluster.nodes.values() if node.running)
    await asyncio.to_thread(cluster.nodes[leader].start)
    await asyncio.to_thread(survivor.control, "await_online_nodes", "3", "--timeout", "60")
    assert await queue.length(cluster.url) == 0
    assert await queue.length(cluster.url, topology.DEAD_LETTERS) == 0


def _taken(world: World, before: float) -> int:
    return sum(mail.at <= before for mail in world.judge.accepted)


def _places(cluster: Cluster) -> tuple[str, set[str]]:
    """The node of the leader of the queue of due deliveries, and those of its replicas."""
    node = next(iter(cluster.nodes.values()))
    listed = node.control("list_queues", "--no-table-headers", "name", "leader", "members")
    [line] = [each for each in listed.splitlines() if each.startswith(topology.DELIVERIES)]
    _, leader, members = line.split("\t")
    return leader, {name for name in cluster.nodes if name in members}
