"""Connections to RabbitMQ, and what it looks like when it is not there."""

import random
from urllib.parse import urlsplit

import aio_pika
import aiormq
from aio_pika.abc import AbstractConnection
from yarl import URL

from shared import decoding

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


# For all hosts of an address together, in seconds.
_PATIENCE = 10


async def connect(url: str, name: str) -> AbstractConnection:
    """Open a connection that notices a dead peer within 30 s; the caller reconnects.

    Of several hosts in `url`, the nodes of one cluster, each is asked until one answers: in random
    order, so that connections spread over them. Where none does, raises what the last one said.
    """
    decoding.tolerate()
    nodes = _nodes(url)
    last: Exception = ConnectionError("no host was given")
    for node in random.sample(nodes, len(nodes)):
        wanted = node.update_query(heartbeat=str(_HEARTBEAT), name=name)
        try:
            return await aio_pika.connect(str(wanted), timeout=_PATIENCE / len(nodes))
        except UNAVAILABLE as error:
            last = error
    raise last


def _nodes(url: str) -> list[URL]:
    """Return one address for each of the hosts that `url` separates by commas."""
    parts = urlsplit(url)
    user, at, hosts = parts.netloc.rpartition("@")
    return [URL(parts._replace(netloc=f"{user}{at}{host}").geturl()) for host in hosts.split(",")]
