"""Connections to RabbitMQ, and what it looks like when it is not there."""

import aio_pika
import aiormq
from aio_pika.abc import AbstractConnection
from yarl import URL

# Raised by anything asked of RabbitMQ while it is away, refusing, blocked or restarting.
UNAVAILABLE: tuple[type[Exception], ...] = (
    OSError,
    TimeoutError,
    aio_pika.exceptions.AMQPError,
    aiormq.exceptions.AMQPError,
    RuntimeError,  # aiormq on a connection or channel that has just closed
)

# A peer that fell silent is noticed after three of these, in seconds.
_HEARTBEAT = 10


async def connect(url: str, name: str) -> AbstractConnection:
    """Open a connection that notices a dead peer within 30 s; the caller reconnects."""
    return await aio_pika.connect(
        str(URL(url).update_query(heartbeat=str(_HEARTBEAT), name=name)), timeout=10
    )
