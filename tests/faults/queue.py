"""Reads and writes queues of RabbitMQ for tests."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage

from shared.amqp import broker, topology
from shared.messages import SendTransactions


@asynccontextmanager
async def channel(url: str) -> AsyncIterator[AbstractChannel]:
    """Yield a channel with confirms, on a separate connection."""
    connection = await broker.connect(url, "faults")
    async with connection:
        yield await connection.channel()


async def waiting(url: str) -> list[str]:
    """Return the delivery ids of all messages in the queue, which stay there."""
    async with asyncio.timeout(90):
        while True:
            try:
                async with channel(url) as opened:
                    return await _waiting(opened)
            except broker.UNAVAILABLE:
                await asyncio.sleep(1)


async def _waiting(opened: AbstractChannel) -> list[str]:
    found: list[str] = []

    async def take(message: AbstractIncomingMessage) -> None:
        found.append(json.loads(message.body)["data"]["delivery_id"])

    queue = await opened.declare_queue(topology.DELIVERIES, passive=True)
    await queue.consume(take)
    wanted, seen = int(queue.declaration_result.message_count or 0), -1
    while seen < len(found) or len(found) < wanted:
        seen = len(found)
        await asyncio.sleep(1)
    return found


async def length(url: str, name: str = topology.DELIVERIES) -> int:
    """Return the number of messages in a queue."""
    async with channel(url) as opened:
        queue = await opened.declare_queue(name, passive=True)
        return int(queue.declaration_result.message_count or 0)


async def publish(url: str, *bodies: bytes) -> None:
    """Put messages into the queue of due deliveries, all at once; each is confirmed."""
    async with channel(url) as opened:
        await topology.declare(opened)
        exchange = await opened.get_exchange(topology.DELIVERIES, ensure=False)
        await asyncio.gather(
            *(
                exchange.publish(aio_pika.Message(body), topology.DELIVERIES, timeout=60)
                for body in bodies
            )
        )


def wakeup(delivery: str, business: int = 1) -> bytes:
    """Return the message that the relay would publish about a delivery."""
    event = {
        "id": delivery,
        "time": "2024-11-30T00:00:00Z",
        "data": {"delivery_id": delivery, "business_id": business},
    }
    return SendTransactions.model_validate(event).model_dump_json().encode()
