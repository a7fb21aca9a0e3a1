"""Health and metrics over HTTP, for processes without an API."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from prometheus_client import CollectorRegistry

from shared.process import metrics
from shared.process.health import Health
from shared.process.settings import SettingsError

_IDLE = 75.0  # seconds after which an idle connection is closed


@asynccontextmanager
async def serve_ops(
    setting: str, host: str, port: int, health: Health, counted: CollectorRegistry
) -> AsyncIterator[int]:
    """Serve /health/live, /health/ready and /metrics, and yield the port; 0 means a free one.

    Raises SettingsError that names `setting`_HOST and _PORT if the address cannot be bound.
    """

    async def live(_: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def ready(_: web.Request) -> web.Response:
        answer, ok = await health.readiness()
        return web.json_response(answer, status=200 if ok else 503)

    async def figures(_: web.Request) -> web.Response:
        return web.Response(
            body=metrics.expose(counted), headers={"Content-Type": metrics.CONTENT_TYPE}
        )

    app = web.Application()
    app.add_routes(
        [
            web.get("/health/live", live),
            web.get("/health/ready", ready),
            web.get("/metrics", figures),
        ]
    )
    runner = web.AppRunner(app, access_log=None, keepalive_timeout=_IDLE)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        try:
            await site.start()
        except OSError as error:
            raise SettingsError(f"{setting}_HOST, {setting}_PORT: {error.strerror}") from None
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()
