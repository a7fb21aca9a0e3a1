"""The queue of messages that could not be carried out, as whoever looks through it sees it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from aio_pika.abc import AbstractChannel, AbstractIncomingMessage
from pamqp.common import FieldValue

from shared.amqp import broker, topology


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[AbstractChannel]:
    """Yield a channel; what it got and did not acknowledge goes back when it closes."""
    connection = await broker.connect(url, "ledgerpost-dead-letters")
    async with connection:
        channel = await connection.channel(on_return_raises=True)
        await topology.declare(channel)
        yield channel


async def messages(
    channel: AbstractChannel, most: int | None
) -> AsyncIterator[AbstractIncomingMessage]:
    """Get the oldest dead letters, all that there are now for None."""
    queue = await channel.get_queue(topology.DEAD_LETTERS)
    left = queue.declaration_result.message_count or 0
    for _ in range(left if most is None else min(left, most)):
        message = await queue.get(fail=False)
        if message is None:
            return
        yield message


def death(headers: Mapping[str, FieldValue]) -> Mapping[str, FieldValue]:
    """Return what RabbitMQ itself says of the last death of a message; empty if it does not."""
    deaths = headers.get("x-death")
    last = deaths[0] if isinstance(deaths, list) and deaths else {}
    return last if isinstance(last, dict) else {}


def queue(headers: Mapping[str, FieldValue]) -> str:
    """Return the queue from which a message came among the dead letters."""
    # What RabbitMQ added counts first: a sender can set headers, too.
    name = str(death(headers).get("queue") or headers.get(topology.CAME_FROM))
    return name if name in topology.EXCHANGE_OF else topology.DELIVERIES
