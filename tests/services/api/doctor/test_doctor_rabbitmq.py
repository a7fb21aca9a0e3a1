"""What `doctor` finds in RabbitMQ; each finding is provoked on the real server."""

import secrets
from urllib.parse import urlsplit

import aio_pika
import pytest

from provision.servers import Servers
from shared.amqp import broker as broker_module
from shared.amqp import topology
from tests.doctor_report import Doctor, doctor
from tests.vhosts import Vhosts


async def of_rabbitmq(url: str) -> Doctor:
    # It needs no Postgres for this part.
    return await doctor("--only", "rabbitmq", DATABASE_URL="postgresql://none/none", AMQP_URL=url)


@pytest.fixture
async def declared(broker: str) -> str:
    """A vhost in which a relay has declared everything."""
    async with await broker_module.connect(broker, "test") as connection:
        await topology.declare(await connection.channel())
    return broker


async def test_what_a_relay_declared_is_ok_and_stays_as_it_is(declared: str) -> None:
    async with await broker_module.connect(declared, "test") as connection:
        channel = await connection.channel()
        exchange = await channel.get_exchange(topology.DELIVERIES)
        await exchange.publish(aio_pika.Message(b"1", delivery_mode=2), topology.DELIVERIES)
        found = await of_rabbitmq(declared)
        assert (found.status, found.not_ok) == (0, {})
        # Nothing was taken, not even for a moment.
        queue = await channel.get_queue(topology.DELIVERIES)
        message = await queue.get()
        assert not message.redelivered


async def test_an_empty_vhost_is_told_of_and_stays_empty(broker: str) -> None:
    for _ in range(2):
        found = await of_rabbitmq(broker)
        [(status, text)] = found.of("rabbitmq.topology")
        assert (status, found.status) == ("warning", 0)
        assert f"queue {topology.DELIVERIES}" in text
        assert f"exchange {topology.EVENTS}" in text


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        ({"x-queue-type": "classic"}, "failure"),
        (
            {"x-queue-type": "quorum", "x-dead-letter-exchange": topology.DEAD_LETTERS},
            "warning",
        ),
    ],
)
async def test_a_queue_of_another_kind_is_found(
    broker: str, arguments: dict[str, str], status: str
) -> None:
    async with await broker_module.connect(broker, "test") as connection:
        channel = await connection.channel()
        await channel.declare_queue(topology.DELIVERIES, durable=True, arguments=dict(arguments))
        await topology.declare(channel)
    found = await of_rabbitmq(broker)
    [(was, text)] = found.of("rabbitmq.topology")
    assert (was, found.status) == (status, int(status == "failure"))
    assert topology.DELIVERIES in text


@pytest.mark.parametrize(
    ("write", "read", "lacking"),
    [
        ("^ledgerpost\\.", "^ledgerpost\\.", None),
        ("^ledgerpost\\.(send|intake|dead)", "^ledgerpost\\.", f"write to {topology.EVENTS}"),
        (
            "^ledgerpost\\.",
            "^ledgerpost\\.(send-transactions|events|dead)",
            f"read {topology.SEND_REQUESTS}",
        ),
    ],
)
async def test_rights_that_are_missing_are_found(
    declared: str, servers: Servers, write: str, read: str, lacking: str | None
) -> None:
    assert servers.management_url is not None
    vhosts, vhost = Vhosts(servers.management_url), urlsplit(declared).path[1:]
    user, password = f"test_{secrets.token_hex(4)}", secrets.token_hex(8)
    vhosts.create_user(user, password)
    try:
        vhosts.permit(vhost, user, configure="^$", write=write, read=read)
        parts = urlsplit(declared)
        place = f"{user}:{password}@{parts.hostname}:{parts.port}"
        found = await of_rabbitmq(parts._replace(netloc=place).geturl())
    finally:
        vhosts.delete_user(user)
    [(status, text)] = found.of("rabbitmq.rights")
    assert status == ("ok" if lacking is None else "failure")
    assert lacking is None or lacking in text


async def test_dead_letters_are_told_of(declared: str) -> None:
    async with await broker_module.connect(declared, "test") as connection:
        exchange = await (await connection.channel()).get_exchange(topology.DEAD_LETTERS)
        await exchange.publish(aio_pika.Message(b"x"), "x")
    found = await of_rabbitmq(declared)
    assert found.of("rabbitmq.dead_letters") == [("warning", "1 dead letters wait for a person")]


@pytest.mark.parametrize("wrong", ["password", "vhost", "port"])
async def test_a_rabbitmq_that_cannot_be_reached_is_one_finding(broker: str, wrong: str) -> None:
    parts = urlsplit(broker)
    url = {
        "password": parts._replace(
            netloc=f"{parts.username}:not-this-one@{parts.hostname}:{parts.port}"
        ),
        "vhost": parts._replace(path="/nowhere"),
        "port": parts._replace(netloc=f"{parts.username}:{parts.password}@127.0.0.1:9"),
    }[wrong].geturl()
    found = await of_rabbitmq(url)
    assert found.statuses == {"rabbitmq.reachable": {"failure"}}
    assert found.status == 1
    assert "not-this-one" not in str(found.report)
    assert str(parts.password) not in str(found.report)
