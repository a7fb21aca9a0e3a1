"""The queue of dead letters, to look through."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from aio_pika.abc import AbstractChannel, AbstractIncomingMessage
from pamqp.common import FieldValue

from shared.amqp import broker, topology


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[AbstractChannel]:
    """Yield a channel. Messages that are not acknowledged go back to their queue when it closes."""
    connection = await broker.connect(url, "ledgerpost-dead-letters")
    async with connection:
        channel = await connection.channel(on_return_raises=True)
        await topology.declare(channel)
        yield channel


async def messages(
    channel: AbstractChannel, most: int | None
) -> AsyncIterator[AbstractIncomingMessage]:
    """Yield the `most` oldest dead letters; all that are there now if `most` is None."""
    queue = await channel.get_queue(topology.DEAD_LETTERS)
    left = queue.declaration_result.message_count or 0
    for _ in range(left if most is None else min(left, most)):
        message = await queue.get(fail=False)
        if message is None:
            return
        yield message


def death(headers: Mapping[str, FieldValue]) -> Mapping[str, FieldValue]:
    """Return RabbitMQ's own record of the last death of a message; empty if there is none."""
    deaths = headers.get("x-death")
    last = deaths[0] if isinstance(deaths, list) and deaths else {}
    return last if isinstance(last, dict) else {}


def queue(headers: Mapping[str, FieldValue]) -> str:
    """Return the queue in which a dead letter was before."""
    # RabbitMQ's own record comes first, because a sender can set headers, too.
    name = str(death(headers).get("queue") or headers.get(topology.CAME_FROM))
    return name if topology.entrance_of(name) else topology.DELIVERIES
