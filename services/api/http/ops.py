"""The calls for operators: liveness, readiness and metrics."""

from aiohttp import web

from services.api.http.appkeys import EXPOSE, HEALTH, STOPPING
from shared.process.health import Unwell
from shared.process.metrics import CONTENT_TYPE


async def live(_: web.Request) -> web.Response:
    """Answer 200."""
    return web.json_response({"status": "ok"})


async def ready(request: web.Request) -> web.Response:
    """Answer 200 if every resource is well, otherwise 503; the body has the state of each."""
    answer, ok = await request.app[HEALTH].readiness()
    return web.json_response(answer, status=200 if ok else 503)


async def metrics(request: web.Request) -> web.Response:
    """Answer with the metrics of all workers, in the format of Prometheus."""
    return web.Response(body=request.app[EXPOSE](), headers={"Content-Type": CONTENT_TYPE})


def leave(app: web.Application) -> None:
    """Prepare to stop: readiness fails, and each answer closes its connection."""
    app[STOPPING].set()
    app[HEALTH].register("server", _stopping)


async def _stopping() -> None:
    raise Unwell("is stopping")
