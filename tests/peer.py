"""Another system on the same broker, which requests sends and receives events."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage, AbstractQueue

from shared.amqp import topology


def request(id_: str, **given: Any) -> dict[str, Any]:
    """A request for customer 4's transactions of November 2024; `given` changes its data."""
    return {
        "specversion": "1.0",
        "id": id_,
        "source": "/crm",
        "type": "com.ledgerpost.send-request.v1",
        "data": {"customer_id": 4, "from": "2024-11-01", "to": "2024-11-30", **given},
    }


def batch_request(id_: str, **given: Any) -> dict[str, Any]:
    """A request for all customers' transactions of November 2024; `given` changes its data."""
    data = {"from": "2024-11-01", "to": "2024-11-30", **given}
    return request(id_) | {"type": "com.ledgerpost.batch-request.v1", "data": data}


@dataclass
class Peer:
    """A peer that receives all events and the replies to its requests."""

    channel: AbstractChannel
    key: str | None
    replies: AbstractQueue
    heard: list[AbstractIncomingMessage] = field(default_factory=list)
    answered: list[AbstractIncomingMessage] = field(default_factory=list)

    async def ask(self, body: Any, reply_to: str | None = None, **options: Any) -> None:
        """Publish a request; bytes are published unchanged."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {} if self.key is None else {"authorization": f"Bearer {self.key}"}
        message = aio_pika.Message(
            raw,
            headers=headers | options.pop("headers", {}),
            content_type="application/cloudevents+json",
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
            reply_to=self.replies.name if reply_to is None else reply_to,
            **options,
        )
        exchange = await self.channel.get_exchange(topology.INTAKE, ensure=False)
        await exchange.publish(message, topology.SEND_REQUESTS, mandatory=True)

    async def reply(self, number: int = 1) -> Any:
        """Return the last reply, once there are this many."""
        await _until(lambda: len(self.answered) >= number)
        return json.loads(self.answered[-1].body)

    async def events(self, *keys: str, number: int = 1) -> list[Any]:
        """Return the events with one of these routing keys, once there are this many."""

        def found() -> list[Any]:
            return [json.loads(each.body) for each in self.heard if each.routing_key in keys]

        await _until(lambda: len(found()) >= number)
        return found()

    async def waiting(self, queue: str) -> int:
        """How many messages are ready in a queue."""
        state = await self.channel.declare_queue(queue, passive=True)
        return state.declaration_result.message_count or 0

    async def dead(self, number: int) -> list[AbstractIncomingMessage]:
        """Return the dead letters, once there are this many; they stay there."""
        async with asyncio.timeout(180):
            while await self.waiting(topology.DEAD_LETTERS) < number:
                await asyncio.sleep(0.05)
        queue = await self.channel.get_queue(topology.DEAD_LETTERS)
        found = []
        while (message := await queue.get(fail=False)) is not None:
            found.append(message)
        for message in found:
            await message.nack(requeue=True)
        return found


@asynccontextmanager
async def peer(url: str, key: str | None) -> AsyncIterator[Peer]:
    """Yield a peer with an API key, on a separate connection."""
    connection = await aio_pika.connect(url)
    async with connection:
        channel = await connection.channel(on_return_raises=True)
        await topology.declare(channel)
        replies = await channel.declare_queue(exclusive=True)
        events = await channel.declare_queue(exclusive=True)
        await events.bind(topology.EVENTS, "#")
        made = Peer(channel, key, replies)

        async def hear(message: AbstractIncomingMessage) -> None:
            made.heard.append(message)

        async def answer(message: AbstractIncomingMessage) -> None:
            made.answered.append(message)

        await events.consume(hear, no_ack=True)
        await replies.consume(answer, no_ack=True)
        yield made


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(180):
        while not holds():
            await asyncio.sleep(0.02)
