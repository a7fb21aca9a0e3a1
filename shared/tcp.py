"""TCP connections to a host, some of whose addresses may not answer."""

import asyncio
import socket

from aiohappyeyeballs import start_connection

# RFC 8305: the seconds after which the next address is tried in parallel.
_NEXT = 0.25


async def connected(host: str, port: int) -> socket.socket:
    """Return a socket that is connected to the first address of `host` that answers.

    Each address is tried 0.25 s after the one before it, or as soon as that has failed, so an
    address that drops packets costs a quarter of a second. Raises OSError if none answers.
    """
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return await start_connection(found, happy_eyeballs_delay=_NEXT)
