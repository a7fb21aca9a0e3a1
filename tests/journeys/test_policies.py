"""A policy of RabbitMQ that deletes messages of a queue without our x-overflow argument."""

from urllib.parse import urlsplit

import aio_pika
from aio_pika.abc import AbstractChannel

from provision.servers import Servers
from shared.amqp import topology
from tests.faults.queue import length
from tests.journeys.conftest import System, soon
from tests.vhosts import Vhosts

MOST = 5
MAILS = 9


async def older_queue(channel: AbstractChannel) -> None:
    """Declare the queue of wake-ups as versions before x-overflow did."""
    older = {
        "x-queue-type": "quorum",
        "x-dead-letter-exchange": topology.DEAD_LETTERS,
        "x-delivery-limit": topology._DELIVERY_LIMIT,
    }
    await channel.declare_queue(topology.DELIVERIES, durable=True, arguments=older)
    await topology.declare(channel)


async def limited(channel: AbstractChannel) -> None:
    """Wait until the policy is applied, and leave the queue empty."""
    exchange = await channel.get_exchange(topology.DELIVERIES)
    while True:
        for _ in range(MOST + 1):
            await exchange.publish(aio_pika.Message(b"{}"), topology.DELIVERIES)
        queue = await channel.declare_queue(topology.DELIVERIES, passive=True)
        await queue.purge()
        if queue.declaration_result.message_count == MOST:
            return


async def test_wakeups_that_a_policy_deletes_are_published_again_until_each_mail_is_out(
    system: System, servers: Servers
) -> None:
    assert servers.management_url is not None
    async with await aio_pika.connect(system.amqp) as connection:
        channel = await connection.channel()
        await older_queue(channel)
        Vhosts(servers.management_url).set_policy(
            urlsplit(system.amqp).path[1:], "short", **{"max-length": MOST, "overflow": "drop-head"}
        )
        await limited(channel)
    async with system.relay(queue_patience="1s"):
        sent = await system.send(other_emails=[f"{n}@x.example" for n in range(MAILS - 1)])
        await soon(lambda: _are_published(system))
        assert await length(system.amqp) == MOST
        async with system.mailer():
            seen = await system.settled(sent["id"], timeout=60)
    assert [each["state"] for each in seen["recipients"]] == ["sent"] * MAILS
    assert {each["attempts"] for each in seen["recipients"]} == {1}
    assert list(system.judge.counts().values()) == [1] * MAILS


async def _are_published(system: System) -> bool:
    count = await system.db.fetchval(
        "SELECT count(*) FROM deliveries WHERE published_at IS NOT NULL"
    )
    return bool(count == MAILS)
