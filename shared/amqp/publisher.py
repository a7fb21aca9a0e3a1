"""The publisher of the relay: confirmed messages, on a connection that is opened again if lost."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from aio_pika.abc import AbstractChannel, AbstractConnection
from aio_pika.exceptions import PublishError
from aiormq.channel import Channel
from pamqp.commands import Basic
from pamqp.common import FieldValue

from shared.amqp import broker, topology
from shared.messages import CONTENT_TYPE

_PERSISTENT = 2  # AMQP's delivery mode
_CLOSE_S = 5.0
_CONFIRM_S = 20.0  # after which messages without a confirm count as lost


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message. A `mandatory` one that no queue takes is not confirmed.

    `traceparent` also becomes a header, for programs that trace messages without reading them.
    """

    message_id: str
    exchange: str
    routing_key: str
    body: bytes
    traceparent: str | None = None
    mandatory: bool = True
    headers: Mapping[str, FieldValue] = field(default_factory=dict)
    correlation_id: str | None = None
    reply_to: str | None = None
    content_type: str | None = CONTENT_TYPE

    @property
    def properties(self) -> Basic.Properties:
        """The properties of the message, which is persistent."""
        traced = {"traceparent": self.traceparent} if self.traceparent else {}
        return Basic.Properties(
            headers={**self.headers, **traced} or None,
            message_id=self.message_id,
            correlation_id=self.correlation_id,
            reply_to=self.reply_to,
            content_type=self.content_type,
            delivery_mode=_PERSISTENT,
        )


class Publisher:
    """Publishes persistent messages with confirms, on one channel that the relay's loops share."""

    def __init__(self, url: str, name: str, databases: Sequence[str] = ()) -> None:
        """Declare the queue of each of `databases`, too."""
        self._url = url
        self._databases = databases
        self._name = name
        self._connection: AbstractConnection | None = None
        self._channel: AbstractChannel | None = None
        self._connecting = asyncio.Lock()

    async def ready(self) -> AbstractChannel:
        """Return an open channel, connecting if needed. Raises one of broker.UNAVAILABLE."""
        async with self._connecting:
            if self._channel is None or self._channel.is_closed or self._connection_is_closed():
                await self.close()
                async with asyncio.timeout(_CONFIRM_S):
                    self._connection = await broker.connect(self._url, self._name)
                    channel = await self._connection.channel(on_return_raises=True)
                    await topology.prepare(channel, self._databases)
                self._channel = channel
            return self._channel

    async def publish(self, messages: Sequence[Outgoing]) -> list[bool]:
        """Publish all messages at once and return for each whether RabbitMQ confirmed it."""
        # By aiormq, because aio-pika waits until a message is written before it writes the next.
        wire = cast("Channel", await (await self.ready()).get_underlay_channel())
        try:
            async with asyncio.timeout(_CONFIRM_S):
                results = await asyncio.gather(
                    *(
                        wire.basic_publish(
                            message.body,
                            exchange=message.exchange,
                            routing_key=message.routing_key,
                            properties=message.properties,
                            mandatory=message.mandatory,
                            wait=False,
                        )
                        for message in messages
                    ),
                    return_exceptions=True,
                )
        except TimeoutError:
            await self.close()
            raise
        if any(isinstance(result, PublishError) for result in results):
            await self.close()  # no queue took it: the next use declares all queues again
        return [not isinstance(result, BaseException) for result in results]

    async def queue_is_empty(self, queue: str) -> bool:
        """Return whether no message is ready in the queue."""
        return (await self.sizes([queue]))[queue] == 0

    async def sizes(self, queues: Iterable[str]) -> dict[str, int]:
        """Return how many messages are ready in each of these queues."""
        channel = await self.ready()
        found = {}
        # On a connection that another loop closes meanwhile, no answer comes.
        async with asyncio.timeout(_CONFIRM_S):
            for name in queues:
                queue = await channel.declare_queue(name, passive=True)
                found[name] = queue.declaration_result.message_count or 0
        return found

    async def close(self) -> None:
        """Close the connection; the next use opens another."""
        connection, self._connection, self._channel = self._connection, None, None
        if connection is not None:
            await broker.leave(connection, _CLOSE_S)

    def _connection_is_closed(self) -> bool:
        return self._connection is None or self._connection.is_closed
