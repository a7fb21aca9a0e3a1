"""The relay's connection to RabbitMQ: confirmed publishing, reconnected at need."""

import asyncio
from collections.abc import Mapping, Sequence
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
_PATIENCE = 20.0  # seconds until unconfirmed messages count as lost


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message: `mandatory` ones that no queue takes are not confirmed.

    `traceparent` goes into its headers too, for those who trace messages without reading them.
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
        """What the broker gets beside the body; it is persistent."""
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

    def __init__(self, url: str, name: str) -> None:
        self._url = url
        self._name = name
        self._connection: AbstractConnection | None = None
        self._channel: AbstractChannel | None = None
        self._connecting = asyncio.Lock()

    async def ready(self) -> AbstractChannel:
        """Return an open channel, connecting where needed; raises one of broker.UNAVAILABLE."""
        async with self._connecting:
            if self._channel is None or self._channel.is_closed or self._connection_is_closed():
                await self.close()
                async with asyncio.timeout(_PATIENCE):
                    self._connection = await broker.connect(self._url, self._name)
                    channel = await self._connection.channel(on_return_raises=True)
                    await topology.prepare(channel)
                self._channel = channel
            return self._channel

    async def publish(self, messages: Sequence[Outgoing]) -> list[bool]:
        """Publish in one window and return, message by message, whether the broker confirmed it."""
        # Below aio-pika, which waits for each message to be written before it writes the next.
        wire = cast("Channel", await (await self.ready()).get_underlay_channel())
        try:
            async with asyncio.timeout(_PATIENCE):
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
            await self.close()  # no queue took it: declare them again
        return [not isinstance(result, BaseException) for result in results]

    async def queue_is_empty(self) -> bool:
        """Say whether no message is ready in the queue of due deliveries."""
        channel = await self.ready()
        # A connection that another loop gives up on meanwhile never answers.
        async with asyncio.timeout(_PATIENCE):
            queue = await channel.declare_queue(topology.DELIVERIES, passive=True)
        return queue.declaration_result.message_count == 0

    async def close(self) -> None:
        """Close the connection; the next use opens another."""
        connection, self._connection, self._channel = self._connection, None, None
        if connection is None:
            return
        try:
            async with asyncio.timeout(5):
                await connection.close()
        except broker.UNAVAILABLE:
            return

    def _connection_is_closed(self) -> bool:
        return self._connection is None or self._connection.is_closed
