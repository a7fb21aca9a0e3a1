"""The API inside of a test, served as its process does it: by our Runner, on a port of its own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from services.api.http.protocol import IDLE, Runner


@asynccontextmanager
async def running(app: web.Application, *, idle: float = IDLE) -> AsyncIterator[str]:
    """Yield the address at which `app` is served meanwhile."""
    runner = Runner(app, access_log=None, shutdown_timeout=1, keepalive_timeout=idle)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
