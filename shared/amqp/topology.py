"""The exchanges, queues and bindings that our processes and other systems rely on."""

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
# An exchange with a name of its own: publishing to it needs no right on the queue.
INTAKE = "ledgerpost.intake"
SEND_REQUESTS = "ledgerpost.send-requests"
DEAD_LETTERS = "ledgerpost.dead-letters"
EVENTS = "ledgerpost.events"

# Headers of a dead letter for what RabbitMQ's own x-death does not have.
REASON, CAME_FROM, DIED_AT = "x-reason", "x-queue", "x-died-at"
# If only the beginning of a body is there: the size of all of it in octets, and its digest.
CUT_FROM, SHA256 = "x-cut-from", "x-sha256"

# The exchange by which messages enter each queue; the routing key is the queue's name.
EXCHANGE_OF = {DELIVERIES: DELIVERIES, SEND_REQUESTS: INTAKE}
# Answers to requests are never published to these.
QUEUES = frozenset({*EXCHANGE_OF, DEAD_LETTERS})

# Quorum queues with a dead-letter exchange and a positive delivery limit mean the same from
# RabbitMQ 3.10 to 4.3.
_DELIVERY_LIMIT = 20
# Reading a dead letter counts as a delivery; after the limit it would be dropped.
_INSPECTION_LIMIT = 1_000_000
_QUORUM: dict[str, FieldValue] = {"x-queue-type": "quorum"}
_ENTRANCE: dict[str, FieldValue] = {
    "x-dead-letter-exchange": DEAD_LETTERS,
    "x-delivery-limit": _DELIVERY_LIMIT,
    # If a policy limits the length, the publisher gets a refusal, and no confirmed message is lost.
    "x-overflow": "reject-publish",
}
# The errors for a queue that exists with other arguments, and for a user without the right to
# configure.
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
    """Return an equal value that can be written: pamqp reads more than it writes."""
    if isinstance(value, bytes):
        return bytearray(value)
    try:
        encode.encode_table_value(value)
    except (TypeError, ValueError, OverflowError, struct.error):
        return str(value)
    return value


async def prepare(channel: AbstractChannel) -> None:
    """Declare everything; once in a process, log each queue that has other arguments than ours.

    The channel may be reopened, so settings made on it before are lost.
    """
    for queue, said in (await declare(channel)).items():
        _log_once(queue, said)


@cache  # so that it is not logged again at each connection
def _log_once(queue: str, said: str) -> None:
    _log.warning(
        "queue lacks an argument of ours and is used as it is,"
        " see Queues and exchanges in docs/operations.md",
        queue=queue,
        rabbitmq=said,
    )


async def declare(channel: AbstractChannel) -> dict[str, str]:
    """Declare every exchange, queue and binding that does not exist yet.

    A queue or exchange that exists with other arguments, or that this user may not declare, is used
    as it is. The channel is reopened then, so settings made on it before are lost. Returns
    RabbitMQ's error for each queue that has other arguments.
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
    """Return the queue; if it has other arguments, put RabbitMQ's error into `others`."""
    try:
        return await channel.declare_queue(name, durable=True, arguments={**_QUORUM, **arguments})
    except _REFUSED as error:
        if isinstance(error, ChannelPreconditionFailed):
            others[name] = str(error)
        await channel.reopen()
        return await channel.declare_queue(name, passive=True)
