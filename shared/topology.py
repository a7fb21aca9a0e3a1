"""The exchanges, queues and bindings that both processes and their neighbours rely on."""

from aio_pika import ExchangeType
from aio_pika.abc import AbstractChannel, AbstractExchange
from pamqp.common import FieldValue

DELIVERIES = "ledgerpost.send-transactions"
DEAD_LETTERS = "ledgerpost.dead-letters"
EVENTS = "ledgerpost.events"

# Quorum queues with a dead-letter exchange and a positive delivery limit: the three that mean the
# same from RabbitMQ 3.10 to 4.3.
_DELIVERY_LIMIT = 20
# Looking at a dead letter counts as a delivery; past the limit it would be dropped.
_INSPECTION_LIMIT = 1_000_000
_QUORUM: dict[str, FieldValue] = {"x-queue-type": "quorum"}


async def declare(channel: AbstractChannel) -> None:
    """Declare every exchange, queue and binding; does nothing where they are there already."""
    deliveries = await channel.declare_exchange(DELIVERIES, ExchangeType.DIRECT, durable=True)
    dead_letters = await channel.declare_exchange(DEAD_LETTERS, ExchangeType.FANOUT, durable=True)
    await channel.declare_exchange(EVENTS, ExchangeType.TOPIC, durable=True)
    dead = await channel.declare_queue(
        DEAD_LETTERS, durable=True, arguments=_QUORUM | {"x-delivery-limit": _INSPECTION_LIMIT}
    )
    await dead.bind(dead_letters)
    queue = await channel.declare_queue(
        DELIVERIES,
        durable=True,
        arguments=_QUORUM
        | {"x-dead-letter-exchange": DEAD_LETTERS, "x-delivery-limit": _DELIVERY_LIMIT},
    )
    await queue.bind(deliveries, DELIVERIES)


async def deliveries_exchange(channel: AbstractChannel) -> AbstractExchange:
    """Return the exchange that the relay publishes due deliveries to."""
    return await channel.get_exchange(DELIVERIES, ensure=False)
