from pathlib import Path

import aio_pika
import pytest

from provision import programs
from provision.ports import is_free
from provision.rabbitmq import RabbitMQ
from provision.record import Record


@pytest.fixture
def rabbitmq(folder: Path, project: Path) -> RabbitMQ:
    return RabbitMQ(folder / "rabbitmq", lambda: programs.rabbitmq(project))


async def test_confirmed_messages_survive_a_kill_and_nothing_outlives_a_stop(
    rabbitmq: RabbitMQ, project: Path
) -> None:
    rabbitmq.start()
    url, pid = rabbitmq.url, rabbitmq.pid
    await _declare(url)
    # RabbitMQ answers a declaration before it has written its commit down, and forgets the queue
    # with all its messages if it is killed then. A message is confirmed once it is written down.
    rabbitmq.control("eval", "mnesia_recover:sync(), ok = mnesia:sync_log().")
    await _publish(url, b"kept")
    twin = RabbitMQ(rabbitmq.folder, lambda: programs.rabbitmq(project))
    twin.start()
    assert twin.pid == pid

    rabbitmq.kill()
    assert rabbitmq.pid is None
    assert _listening(rabbitmq) == []

    rabbitmq.start()
    assert rabbitmq.url == url
    assert rabbitmq.pid != pid
    assert await _take(url) == b"kept"
    assert rabbitmq.control("eval", "node().").strip() == "ledgerpost@localhost"
    assert _listening(rabbitmq) == ["amqp", "distribution", "epmd"]

    rabbitmq.stop()
    assert rabbitmq.pid is None
    assert _listening(rabbitmq) == []


def _listening(rabbitmq: RabbitMQ) -> list[str]:
    record = Record.load(rabbitmq.folder / "record.json")
    assert record is not None
    return [name for name, port in record.ports.items() if not is_free(port)]


async def _declare(url: str) -> None:
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        await channel.declare_queue("kept", durable=True)


async def _publish(url: str, body: bytes) -> None:
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel(publisher_confirms=True)
        message = aio_pika.Message(body, delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
        await channel.default_exchange.publish(message, "kept")


async def _take(url: str) -> bytes:
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        queue = await channel.declare_queue("kept", passive=True)
        message = await queue.get(no_ack=True)
        return message.body
