"""What operators ask the API: does it run, can it work, and what has it counted."""

from aiohttp import web

from services.api.http.appkeys import EXPOSE, HEALTH, STOPPING
from shared.process.health import Unwell, well
from shared.process.metrics import CONTENT_TYPE


async def live(_: web.Request) -> web.Response:
    """Answer 200 as long as the process answers at all."""
    return web.json_response({"status": "ok"})


async def ready(request: web.Request) -> web.Response:
    """Answer 200 where every resource is well, else 503; the body names each with its state."""
    report = await request.app[HEALTH].report()
    ok = well(report)
    return web.json_response(
        {"status": "ok" if ok else "unavailable", "checks": report}, status=200 if ok else 503
    )


async def metrics(request: web.Request) -> web.Response:
    """Answer with the figures of all workers, for Prometheus."""
    return web.Response(body=request.app[EXPOSE](), headers={"Content-Type": CONTENT_TYPE})


def leave(app: web.Application) -> None:
    """Ask to be sent no more: readiness goes red, and each answer is its connection's last."""
    app[STOPPING].set()
    app[HEALTH].register("server", _stopping)


async def _stopping() -> None:
    raise Unwell("is stopping")
