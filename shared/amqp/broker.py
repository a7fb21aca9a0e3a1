"""Connections to RabbitMQ, and the errors that mean that it is not available."""

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

# Raised by every call to RabbitMQ while it is away, refuses, is blocked or restarts.
UNAVAILABLE: tuple[type[Exception], ...] = (
    OSError,
    TimeoutError,
    aio_pika.exceptions.AMQPError,
    aiormq.exceptions.AMQPError,
    RuntimeError,  # aiormq on a connection or channel that has just closed
)

# A silent peer is noticed after three heartbeats.
_HEARTBEAT_S = 10


# In the reason with which RabbitMQ refuses a connection.
_USER = re.compile(r" for user '[^']*'")

# For all hosts of a URL together.
_CONNECT_S = 10


async def connect(url: str, name: str) -> AbstractConnection:
    """Open a connection that notices a dead peer within 30 s; the caller reconnects.

    Several hosts in `url` are the nodes of one cluster: they are tried in random order, so that
    connections spread over them, and so is each address of a host. Raises the error of the last
    node if none answers; the error always has a text.
    """
    decoding.tolerate()
    nodes = _nodes(url)
    last: Exception = ConnectionError("no host was given")
    for node in random.sample(nodes, len(nodes)):
        wanted = node.update_query(heartbeat=str(_HEARTBEAT_S), name=name)
        limit = _CONNECT_S / len(nodes)
        try:
            async with asyncio.timeout(limit):
                return await aio_pika.connect(str(wanted), connection_class=_Connection)
        except TimeoutError:
            last = Silent(f"no answer within {limit:g} s")
        except UNAVAILABLE as error:
            said = _said(error)
            last = Refused(said) if said else error
    raise last


async def leave(connection: AbstractConnection, within: float) -> None:
    """Close a connection; one that RabbitMQ does not close in time is given up."""
    try:
        async with asyncio.timeout(within):
            await connection.close()
    except UNAVAILABLE:
        return


class Refused(Unwell, ConnectionRefusedError):
    """RabbitMQ refused a connection; the text is its reason without the name of the user."""


class Silent(Unwell, TimeoutError):
    """RabbitMQ did not answer in time."""


class _Transport(TransportFactory):
    """Opens the TCP connection to the first address of the host that answers."""

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
    """Return the reason with which RabbitMQ refused a connection, None if there is none.

    The text of aiormq's error does not have it.
    """
    for frame, _ in traceback.walk_tb(error.__traceback__):
        answer = frame.f_locals.get("frame")
        if isinstance(answer, commands.Connection.Close):
            said = _USER.sub("", answer.reply_text or "")
            return f"RabbitMQ refused the connection: {said}"
    return None


def _nodes(url: str) -> list[URL]:
    """Return one URL for each of the hosts between the commas of `url`."""
    parts = urlsplit(url)
    user, at, hosts = parts.netloc.rpartition("@")
    return [URL(parts._replace(netloc=f"{user}{at}{host}").geturl()) for host in hosts.split(",")]
