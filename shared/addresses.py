"""TCP connections to a host, one of whose addresses may not answer."""

import asyncio
import socket
from collections.abc import Iterator
from typing import Any

# RFC 8305: so many seconds after one address was tried the next is tried beside it.
_NEXT = 0.25

_Found = tuple[Any, Any, int, str, Any]


async def connected(host: str, port: int) -> socket.socket:
    """Return a socket that is connected to the first address of `host` that answers.

    An address is tried 0.25 s after the one before it, or as soon as that has failed, so one that
    swallows packets costs a quarter of a second. Raises what the last address said if none answers.
    """
    loop = asyncio.get_running_loop()
    found = iter(await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    tries: list[asyncio.Task[socket.socket]] = []
    try:
        return await _first(found, tries)
    finally:
        for attempt in tries:
            attempt.cancel()


async def _first(
    found: Iterator[_Found], tries: list[asyncio.Task[socket.socket]]
) -> socket.socket:
    """Return the first socket of `tries`, to which the addresses of `found` are added in turn."""
    left: set[asyncio.Task[socket.socket]] = set()
    failure: BaseException = OSError("the host has no address")
    while True:
        address = next(found, None)
        if address is not None:
            attempt = asyncio.create_task(_connect(address))
            tries.append(attempt)
            left.add(attempt)
        if not left:
            raise failure
        done, left = await asyncio.wait(
            left,
            timeout=None if address is None else _NEXT,
            return_when=asyncio.FIRST_COMPLETED,
        )
        winner = next((each for each in done if each.exception() is None), None)
        if winner is not None:
            tries.remove(winner)
            for late in tries:
                late.add_done_callback(_discard)
            return winner.result()
        failure = next((each.exception() for each in done), None) or failure


async def _connect(address: _Found) -> socket.socket:
    family, kind, protocol, _, where = address
    opened = socket.socket(family, kind, protocol)
    try:
        opened.settimeout(0)
        await asyncio.get_running_loop().sock_connect(opened, where)
    except BaseException:
        opened.close()
        raise
    return opened


def _discard(late: asyncio.Task[socket.socket]) -> None:
    """Close the socket of an attempt that was not needed."""
    if not late.cancelled() and late.exception() is None:
        late.result().close()
