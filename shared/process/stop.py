"""Signals that end a process which serves no HTTP requests."""

import asyncio
import signal
from collections.abc import Awaitable, Callable


async def until_signalled(run: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    """Await `run` with an event that SIGTERM, SIGINT and SIGHUP set."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await run(stop)
