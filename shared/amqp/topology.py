"""The exchanges, queues and bindings that both processes and their neighbours rely on."""

import re
import struct
from collections.abc import Mapping
from functools import cache

import structlog
from aio_pika import ExchangeType
from aio_pika.abc import AbstractChannel, AbstractQueue
from aiormq.exceptions import ChannelAccessRefused, ChannelPreconditionFailed
from pamqp import encode
from pamqp.common import FieldValue

DELIVERIES = "ledgerpost.send-transactions"
# An exchange of a name of its own: who may publish to it needs no right on the queue.
INTAKE = "ledgerpost.intake"
SEND_REQUESTS = "ledgerpost.send-requests"
DEAD_LETTERS = "ledgerpost.dead-letters"
EVENTS = "ledgerpost.events"

# What is told of a dead letter in its headers, where RabbitMQ's own x-death cannot say it.
REASON, CAME_FROM, DIED_AT = "x-reason", "x-queue", "x-died-at"
# Of a body of which only the beginning is kept: its size in octets, and the digest of all of it.
CUT_FROM, SHA256 = "x-cut-from", "x-sha256"

# Which exchange a message goes to on its way into a queue, under the queue's name.
EXCHANGE_OF = {DELIVERIES: DELIVERIES, SEND_REQUESTS: INTAKE}
# Nobody's answers are put into these.
QUEUES = frozenset({*EXCHANGE_OF, DEAD_LETTERS})

# Quorum queues with a dead-letter exchange and a positive delivery limit: the three that mean the
# same from RabbitMQ 3.10 to 4.3.
_DELIVERY_LIMIT = 20
# Looking at a dead letter counts as a delivery; past the limit it would be dropped.
_INSPECTION_LIMIT = 1_000_000
_QUORUM: dict[str, FieldValue] = {"x-queue-type": "quorum"}
_ENTRANCE: dict[str, FieldValue] = {
    "x-dead-letter-exchange": DEAD_LETTERS,
    "x-delivery-limit": _DELIVERY_LIMIT,
    # A policy that limits its length must not drop what was confirmed: who publishes is told.
    "x-overflow": "reject-publish",
}
# Said of what is there with other arguments, and to a user who may configure nothing.
_REFUSED = (ChannelPreconditionFailed, ChannelAccessRefused)

_log = structlog.get_logger("ledgerpost.topology")

_ADDED_ON_THE_WAY = re.compile(r"x-(death|(first|last)-death-.*|delivery-count|acquired-count)")


def senders_headers(headers: Mapping[str, FieldValue]) -> dict[str, FieldValue]:
    """Return the headers that the sender of a message set, so that they can be sent on."""
    added = {REASON, CAME_FROM, DIED_AT, CUT_FROM, SHA256}
    return {
        name: _writable(value)
        for name, value in headers.items()
        if name not in added and not _ADDED_ON_THE_WAY.fullmatch(name)
    }


def _writable(value: FieldValue) -> FieldValue:
    """Return what says the same: not all that can be read is taken for writing."""
    if isinstance(value, bytes):
        return bytearray(value)
    try:
        encode.encode_table_value(value)
    except (TypeError, ValueError, OverflowError, struct.error):
        return str(value)
    return value


async def prepare(channel: AbstractChannel) -> None:
    """Declare everything, and log of each queue with other arguments than ours, once in a process.

    The channel may be opened anew, so what was set on it before is lost.
    """
    for queue, said in (await declare(channel)).items():
        _tell(queue, said)


@cache  # so that it is not said again at each connection
def _tell(queue: str, said: str) -> None:
    _log.warning(
        "queue lacks an argument of ours and is used as it is,"
        " see Queues and exchanges in docs/operations.md",
        queue=queue,
        rabbitmq=said,
    )


async def declare(channel: AbstractChannel) -> dict[str, str]:
    """Declare every exchange, queue and binding; does nothing where they are there already.

    One that is there with other arguments, or which we may not declare, is used as it is. The
    channel is opened anew then, so what was set on it before is lost. Returns what RabbitMQ said of
    each queue that has other arguments.
    """
    others: dict[str, str] = {}
    await _exchange(channel, DEAD_LETTERS, ExchangeType.FANOUT)
    await _exchange(channel, EVENTS, ExchangeType.TOPIC)
    dead = await _queue(channel, DEAD_LETTERS, {"x-delivery-limit": _INSPECTION_LIMIT}, others)
    await dead.bind(DEAD_LETTERS)
    for name, exchange in EXCHANGE_OF.items():
        await _exchange(channel, exchange, ExchangeType.DIRECT)
        await (await _queue(channel, name, _ENTRANCE, others)).bind(exchange, name)
    return others


async def _exchange(channel: AbstractChannel, name: str, kind: ExchangeType) -> None:
    try:
        await channel.declare_exchange(name, kind, durable=True)
    except _REFUSED:
        await channel.reopen()
        await channel.declare_exchange(name, kind, passive=True)


async def _queue(
    channel: AbstractChannel,
    name: str,
    arguments: Mapping[str, FieldValue],
    others: dict[str, str],
) -> AbstractQueue:
    """Return the queue; if it has other arguments, what RabbitMQ said goes into `others`."""
    try:
        return await channel.declare_queue(name, durable=True, arguments={**_QUORUM, **arguments})
    except _REFUSED as error:
        if isinstance(error, ChannelPreconditionFailed):
            others[name] = str(error)
        await channel.reopen()
        return await channel.declare_queue(name, passive=True)
