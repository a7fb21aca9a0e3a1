"""The start page of the API: HTML for a browser, JSON for programs."""

import json
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from pathlib import Path

from aiohttp import hdrs, web

from services.api.contract.page.handlers import REVALIDATE
from services.api.http import cors, negotiation
from services.api.openapi.operation import HTML, JSON

_FOLDER = Path(__file__).parent
_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'"
)
_LINKS = {"docs": "/docs", "openapi": "/openapi.json", "health": "/health/ready"}


async def show(request: web.Request) -> web.Response:
    """Answer with the name, the version and links: a page for a browser, otherwise JSON."""
    told = {"name": "Ledgerpost", "version": version("ledgerpost"), **_LINKS}
    return page_or_json(request, _page, json.dumps(told))


async def icon(_: web.Request) -> web.FileResponse:
    """Answer with the icon at the path where browsers look for it."""
    return web.FileResponse(_FOLDER / "icon.svg", headers={hdrs.CACHE_CONTROL: REVALIDATE})


def page_or_json(request: web.Request, page: Callable[[], str], told: str) -> web.Response:
    """Return `page`, which uses only our styles, to a browser, and otherwise the JSON `told`."""
    accept = ",".join(request.headers.getall(hdrs.ACCEPT, ()))
    if negotiation.names(accept, HTML) and negotiation.best(accept, (HTML, JSON)) == HTML:
        response = web.Response(text=page(), content_type=HTML)
        response.headers["Content-Security-Policy"] = _POLICY
        response.headers["Referrer-Policy"] = "no-referrer"
    else:
        response = web.Response(text=told, content_type=JSON)
    response.headers[hdrs.CACHE_CONTROL] = REVALIDATE
    cors.vary(response, hdrs.ACCEPT)
    return response


@cache
def _page() -> str:
    text = (_FOLDER / "home.html").read_text("utf-8")
    return text.replace("{version}", version("ledgerpost"))
