"""Asks RabbitMQ what it is and what this user may do, without changing or taking anything."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import cast
from uuid import uuid4

from aio_pika.abc import AbstractConnection
from aiormq.channel import Channel
from aiormq.exceptions import (
    ChannelAccessRefused,
    ChannelNotFoundEntity,
    ChannelPreconditionFailed,
)
from pamqp.common import FieldValue

from shared.amqp import broker, topology

_ANSWER_S = 10.0
_CLOSE_S = 2.0
_ARGUMENT = re.compile(r"inequivalent arg '([^']+)'")
# RabbitMQ checks the right before the arguments, and refuses this one: so it delivers nothing.
_IMPOSSIBLE: dict[str, FieldValue] = {"x-priority": "none"}


@dataclass(frozen=True)
class Queue:
    """A queue as it is: the messages that are ready, its consumers, and in what it differs.

    `differs` has the names of the arguments that are not ours; none if this user may not ask.
    """

    ready: int
    consumers: int
    differs: tuple[str, ...]


class Probes:
    """Questions to RabbitMQ on one connection, each on a channel of its own."""

    def __init__(self, connection: AbstractConnection) -> None:
        self._connection = connection

    @property
    def version(self) -> str:
        """The version that RabbitMQ names, such as `4.0.5`."""
        transport = self._connection.transport
        properties = transport.connection.server_properties if transport else {}
        version = properties.get("version", "")
        return version.decode() if isinstance(version, (bytes, bytearray)) else str(version)

    async def queue(self, name: str) -> Queue | None:
        """Return a queue of ours as it is, None if there is none."""
        try:
            async with self._channel() as channel:
                found = await channel.queue_declare(name, passive=True, timeout=_ANSWER_S)
        except ChannelNotFoundEntity:
            return None
        return Queue(found.message_count or 0, found.consumer_count or 0, await self._differs(name))

    async def _differs(self, name: str) -> tuple[str, ...]:
        """Compare the arguments of an existing queue with ours; this creates nothing.

        RabbitMQ names one that differs at each question, so the next one is asked without it.
        """
        ours, differing = topology.arguments(name), list[str]()
        while True:
            try:
                async with self._channel() as channel:
                    await channel.queue_declare(
                        name, durable=True, arguments=ours, timeout=_ANSWER_S
                    )
            except ChannelPreconditionFailed as error:
                found = _ARGUMENT.search(str(error))
                argument = found[1] if found else str(error)
                if argument in differing:
                    break
                differing.append(argument)
                if ours.pop(argument, None) is None:
                    break
            except ChannelAccessRefused:
                break
            else:
                break
        return tuple(differing)

    async def has_exchange(self, name: str) -> bool:
        """Return whether there is an exchange of this name."""
        try:
            async with self._channel() as channel:
                await channel.exchange_declare(name, passive=True, timeout=_ANSWER_S)
        except ChannelNotFoundEntity:
            return False
        return True

    async def may_publish(self, exchange: str) -> bool:
        """Return whether this user may write to an exchange, and read it."""
        try:
            async with self._channel() as channel:
                # There is no such binding, so that nothing is removed.
                await channel.exchange_unbind(
                    destination=exchange, source=exchange, routing_key=uuid4().hex,
                    timeout=_ANSWER_S,
                )  # fmt: skip
        except ChannelAccessRefused:
            return False
        return True

    async def may_consume(self, queue: str) -> bool:
        """Return whether this user may read a queue."""
        try:
            async with self._channel() as channel:
                await channel.basic_consume(
                    queue, _ignore, arguments=_IMPOSSIBLE, timeout=_ANSWER_S
                )
        except ChannelAccessRefused:
            return False
        except ChannelPreconditionFailed:
            return True
        raise RuntimeError("RabbitMQ accepted an impossible argument of a consumer")

    @asynccontextmanager
    async def _channel(self) -> AsyncIterator[Channel]:
        """Yield a new channel: RabbitMQ closes one at each refusal."""
        channel = await self._connection.channel()
        try:
            yield cast("Channel", await channel.get_underlay_channel())
        finally:
            if not channel.is_closed:
                await channel.close()


@asynccontextmanager
async def asking(url: str) -> AsyncIterator[Probes]:
    """Yield probes on a new connection. Raises one of broker.UNAVAILABLE."""
    connection = await broker.connect(url, "ledgerpost-doctor")
    try:
        yield Probes(connection)
    finally:
        await broker.leave(connection, _CLOSE_S)


async def _ignore(_: object) -> None:
    """Take nothing: no message comes to a consumer that was refused."""
