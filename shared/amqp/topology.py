"""The exchanges, queues and bindings that our processes and other systems rely on."""

import re
import struct
from collections.abc import Iterable, Mapping
from functools import cache

import structlog
from aio_pika import ExchangeType
from aio_pika.abc import AbstractChannel, AbstractQueue
from aiormq.exceptions import ChannelAccessRefused, ChannelPreconditionFailed
from pamqp import encode
from pamqp.common import FieldValue

from shared.db.databases import MAIN

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
# Answers to requests are never published to these, nor to those of further databases.
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


def deliveries_of(database: str) -> str:
    """Return the name of the queue of wake-ups for the deliveries of a database."""
    return DELIVERIES if database == MAIN else f"{DELIVERIES}.{database}"


def requests_of(database: str) -> str:
    """Return the name of the queue of requests that wait for a database, one of several."""
    return f"{SEND_REQUESTS}.{database}"


def entrance_of(queue: str) -> str | None:
    """Return the exchange by which messages enter one of our queues; None if it is not ours."""
    for name, exchange in EXCHANGE_OF.items():
        if queue == name or queue.startswith(f"{name}."):
            return exchange
    return None


def event_key(type_: str, business_id: int) -> str:
    """Return the routing key of an event, as `delivery.sent.1` for a `….delivery.sent.v1`."""
    what, _, _ = type_.removeprefix("com.ledgerpost.").rpartition(".")
    return f"{what}.{business_id}"


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


def arguments(queue: str) -> dict[str, FieldValue]:
    """Return the arguments with which a queue of ours is declared."""
    own = {"x-delivery-limit": _INSPECTION_LIMIT} if queue == DEAD_LETTERS else _ENTRANCE
    return {**_QUORUM, **own}


def described(operation: str, queue: str) -> dict[str, str | int]:
    """Return what a span says of an operation on a queue."""
    return {
        "messaging.system": "rabbitmq",
        "messaging.operation.name": operation,
        "messaging.destination.name": queue,
    }


async def prepare(channel: AbstractChannel, databases: Iterable[str] = ()) -> None:
    """Declare everything; once in a process, log each queue that has other arguments than ours.

    Each of `databases` has queues of its own.

    The channel may be reopened, so settings made on it before are lost.
    """
    for queue, said in (await declare(channel, databases)).items():
        _log_once(queue, said)


@cache  # so that it is not logged again at each connection
def _log_once(queue: str, said: str) -> None:
    _log.warning(
        "queue_lacks_argument",
        queue=queue,
        rabbitmq=said,
        hint="it is used as it is, see Queues and exchanges in docs/rabbitmq.md",
    )


async def declare(channel: AbstractChannel, databases: Iterable[str] = ()) -> dict[str, str]:
    """Declare every exchange, queue and binding that does not exist yet.

    Each of `databases` has queues of its own.

    A queue or exchange that exists with other arguments, or that this user may not declare, is used
    as it is. The channel is reopened then, so settings made on it before are lost. Returns
    RabbitMQ's error for each queue that has other arguments.
    """
    others: dict[str, str] = {}
    await _exchange(channel, DEAD_LETTERS, ExchangeType.FANOUT)
    await _exchange(channel, EVENTS, ExchangeType.TOPIC)
    dead = await _queue(channel, DEAD_LETTERS, others)
    await dead.bind(DEAD_LETTERS)
    names = tuple(databases)
    further = {deliveries_of(name): DELIVERIES for name in names}
    if len(names) > 1:
        further |= {requests_of(name): INTAKE for name in names}
    for name, exchange in (EXCHANGE_OF | further).items():
        await _exchange(channel, exchange, ExchangeType.DIRECT)
        await (await _queue(channel, name, others)).bind(exchange, name)
    return others


async def _exchange(channel: AbstractChannel, name: str, kind: ExchangeType) -> None:
    try:
        await channel.declare_exchange(name, kind, durable=True)
    except _REFUSED:
        await channel.reopen()
        await channel.declare_exchange(name, kind, passive=True)


async def _queue(channel: AbstractChannel, name: str, others: dict[str, str]) -> AbstractQueue:
    """Return the queue; if it has other arguments, put RabbitMQ's error into `others`."""
    try:
        return await channel.declare_queue(name, durable=True, arguments=arguments(name))
    except _REFUSED as error:
        if isinstance(error, ChannelPreconditionFailed):
            others[name] = str(error)
        await channel.reopen()
        return await channel.declare_queue(name, passive=True)
