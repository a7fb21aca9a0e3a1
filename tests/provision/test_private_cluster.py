import asyncio
from collections.abc import Iterator
from pathlib import Path

import aio_pika
import pytest

from provision import programs
from provision.rabbitmq_cluster import Cluster
from shared.amqp import broker

_QUORUM = {"x-queue-type": "quorum"}


@pytest.fixture
def cluster(folder: Path, project: Path) -> Iterator[Cluster]:
    cluster = Cluster(folder / "cluster", lambda: programs.rabbitmq(project))
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.wipe()


@pytest.mark.long
async def test_a_quorum_queue_outlives_any_one_of_three_nodes(cluster: Cluster) -> None:
    async with await broker.connect(cluster.url, "test") as connection:
        channel = await connection.channel()
        queue = await channel.declare_queue("kept", durable=True, arguments=_QUORUM)
        message = aio_pika.Message(b"kept", delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
        await channel.default_exchange.publish(message, queue.name)
    first, *others = cluster.nodes.values()
    [line] = await asyncio.to_thread(listed, first, "leader", "members")
    leader, replicas = line.split("\t")
    assert all(name in replicas for name in cluster.nodes)

    cluster.nodes[leader].kill()
    assert sum(node.running for node in cluster.nodes.values()) == 2
    survivor = next(node for node in (first, *others) if node.running)
    async with asyncio.timeout(180):
        while await asyncio.to_thread(listed, survivor, "leader") in ([], [leader]):
            await asyncio.sleep(0.1)
    for _ in range(4):  # whichever node is asked first
        async with await broker.connect(cluster.url, "test") as connection, asyncio.timeout(180):
            queue = await (await connection.channel()).declare_queue("kept", passive=True)
            kept = await queue.get()
            assert kept.body == b"kept"
            await kept.nack(requeue=True)

    cluster.nodes[leader].start()
    cluster.kill()
    assert not any(node.running for node in cluster.nodes.values())


def listed(node: object, *columns: str) -> list[str]:
    lines = node.control("list_queues", "--no-table-headers", *columns)  # type: ignore[attr-defined]
    return [line for line in lines.splitlines() if line]
