"""Queues that exist, are limited, or may not be declared, on a real RabbitMQ."""

import secrets
from urllib.parse import urlsplit

import aio_pika
import pytest
from aio_pika.abc import AbstractChannel

from provision.servers import Servers
from shared.amqp import broker as broker_module
from shared.amqp import topology
from tests.logged import Logged
from tests.vhosts import Vhosts


async def published(channel: AbstractChannel, count: int) -> int:
    """How many of so many wake-ups the broker confirmed."""
    exchange, confirmed = await channel.get_exchange(topology.DELIVERIES), 0
    for number in range(count):
        try:
            await exchange.publish(aio_pika.Message(str(number).encode()), topology.DELIVERIES)
        except aio_pika.exceptions.DeliveryError:
            continue
        confirmed += 1
    return confirmed


async def held(channel: AbstractChannel) -> int:
    queue = await channel.declare_queue(topology.DELIVERIES, passive=True)
    return int(queue.declaration_result.message_count or 0)


async def test_a_policy_that_limits_a_queue_drops_nothing_that_was_confirmed(
    broker: str, servers: Servers
) -> None:
    assert servers.management_url is not None
    async with await broker_module.connect(broker, "test") as connection:
        channel = await connection.channel()
        await topology.declare(channel)
        vhosts, name = Vhosts(servers.management_url), urlsplit(broker).path[1:]
        vhosts.set_policy(name, "short", **{"max-length": 5})
        for _ in range(20):  # a policy is applied a moment later
            confirmed = await published(channel, 10)
            if confirmed < 10:
                break
        total = await held(channel)
        assert confirmed < 10
        assert [await published(channel, 5), await held(channel)] == [0, total]


async def test_a_queue_of_an_older_version_is_used_as_it_is_and_told_of_once(
    broker: str, logged: Logged
) -> None:
    older = {"x-queue-type": "quorum", "x-dead-letter-exchange": topology.DEAD_LETTERS}
    async with await broker_module.connect(broker, "test") as connection:
        channel = await connection.channel()
        for name in topology.EXCHANGE_OF:
            await channel.declare_queue(name, durable=True, arguments=older)
        for _ in range(2):
            await topology.prepare(channel)
        assert await published(channel, 3) == await held(channel) == 3
    lines = [line for line in logged() if line["logger"] == "ledgerpost.topology"]
    assert [line["queue"] for line in lines] == list(topology.EXCHANGE_OF)
    for line in lines:
        assert line["level"] == "warning"
        assert "'x-overflow'" in line["rabbitmq"]


@pytest.fixture
def modest(broker: str, servers: Servers) -> str:
    """The address of a user that may read and write, but configure nothing."""
    assert servers.management_url is not None
    vhosts, user = Vhosts(servers.management_url), f"modest-{secrets.token_hex(4)}"
    vhosts.create_user(user, "secret")
    there = urlsplit(broker)
    vhosts.permit(there.path[1:], user, configure="^$", write=".*", read=".*")
    return there._replace(netloc=f"{user}:secret@{there.hostname}:{there.port}").geturl()


async def test_who_may_configure_nothing_uses_what_is_declared(
    broker: str, modest: str, logged: Logged
) -> None:
    async with await broker_module.connect(broker, "test") as connection:
        await topology.declare(await connection.channel())
    async with await broker_module.connect(modest, "test") as connection:
        channel = await connection.channel()
        await topology.prepare(channel)
        assert await published(channel, 3) == await held(channel) == 3
    assert not [line for line in logged() if line["logger"] == "ledgerpost.topology"]
