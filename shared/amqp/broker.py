"""Connections to RabbitMQ, and what it looks like when it is not there."""

import asyncio
import random
import re
import traceback
from typing import Any
from urllib.parse import urlsplit

import aio_pika
import aiormq
from aio_pika.abc import AbstractConnection
from aiormq.connection import TransportFactory
from pamqp import commands
from yarl import URL

from shared import tcp
from shared.amqp import decoding
from shared.process.health import Unwell

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


# In what RabbitMQ says of a connection that it refuses.
_USER = re.compile(r" for user '[^']*'")

# For all hosts of an address together, in seconds.
_PATIENCE = 10


async def connect(url: str, name: str) -> AbstractConnection:
    """Open a connection that notices a dead peer within 30 s; the caller reconnects.

    Of several hosts in `url`, the nodes of one cluster, each is asked until one answers: in random
    order, so that connections spread over them. Of several addresses of a host, too, each is tried.
    Raises what the last one said if none answers; it is never without a text.
    """
    decoding.tolerate()
    nodes = _nodes(url)
    last: Exception = ConnectionError("no host was given")
    for node in random.sample(nodes, len(nodes)):
        wanted = node.update_query(heartbeat=str(_HEARTBEAT), name=name)
        patience = _PATIENCE / len(nodes)
        try:
            async with asyncio.timeout(patience):
                return await aio_pika.connect(str(wanted), connection_class=_Connection)
        except TimeoutError:
            last = Silent(f"no answer within {patience:g} s")
        except UNAVAILABLE as error:
            said = _said(error)
            last = Refused(said) if said else error
    raise last


class Refused(Unwell, ConnectionRefusedError):
    """RabbitMQ closed a connection that was being opened, and said why; without its user's name."""


class Silent(Unwell, TimeoutError):
    """RabbitMQ said nothing for too long."""


class _Transport(TransportFactory):
    """Opens the TCP connection to whichever address of the host answers."""

    async def create(
        self, url: URL, **kwargs: Any
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        host = str(url.host)
        secured = url.scheme == "amqps"
        context = await kwargs["ssl_context_provider"].get_context() if secured else None
        try:
            opened = await tcp.connected(host, url.port or (5671 if secured else 5672))
            return await asyncio.open_connection(
                sock=opened, ssl=context, server_hostname=host if secured else None
            )
        except OSError as error:
            raise aiormq.exceptions.AMQPConnectionError(*error.args) from error


class _Connection(aio_pika.Connection):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kwargs["transport_factory"] = _Transport()


def _said(error: BaseException) -> str | None:
    """Return why RabbitMQ closed a connection that was being opened, None if it did not say.

    aiormq shows the object in which it stands instead.
    """
    for frame, _ in traceback.walk_tb(error.__traceback__):
        answer = frame.f_locals.get("frame")
        if isinstance(answer, commands.Connection.Close):
            said = _USER.sub("", answer.reply_text or "")
            return f"RabbitMQ refused the connection: {said}"
    return None


def _nodes(url: str) -> list[URL]:
    """Return one address for each of the hosts that `url` separates by commas."""
    parts = urlsplit(url)
    user, at, hosts = parts.netloc.rpartition("@")
    return [URL(parts._replace(netloc=f"{user}{at}{host}").geturl()) for host in hosts.split(",")]
