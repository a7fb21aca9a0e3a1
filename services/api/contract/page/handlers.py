"""The OpenAPI document, and the page that shows it."""

from functools import cache
from pathlib import Path

from aiohttp import hdrs, web

from services.api.core.refusals import NotFound
from services.api.http import conditional
from services.api.http.appkeys import OPENAPI

_FOLDER = Path(__file__).parent
_ASSETS = {
    **{name: _FOLDER / name for name in ("start.js", "home.css")},
    **{
        name: _FOLDER / "swagger-ui" / name
        for name in ("swagger-ui-bundle.js", "swagger-ui.css", "favicon-32x32.png")
    },
}
# Swagger UI draws its icons from data: addresses.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
REVALIDATE = "no-cache"


async def document(request: web.Request) -> web.Response:
    """Answer with the OpenAPI document."""
    text = request.app[OPENAPI]()
    tags = _tags(text)
    headers = {hdrs.ETAG: f'"{tags[0]}"', hdrs.CACHE_CONTROL: REVALIDATE}
    if had := conditional.had_already(request, tags):
        return web.Response(status=304, headers=headers | {hdrs.ETAG: f'"{had}"'})
    return web.Response(body=text, content_type="application/json", headers=headers)


@cache
def _tags(text: bytes) -> tuple[str, str]:
    return conditional.tags_of(text)


async def page(_: web.Request) -> web.FileResponse:
    """Answer with the page, which may use only its own scripts and styles."""
    return web.FileResponse(
        _FOLDER / "index.html",
        headers={
            "Content-Security-Policy": _POLICY,
            "Referrer-Policy": "no-referrer",
            hdrs.CACHE_CONTROL: REVALIDATE,
        },
    )


async def to_page(_: web.Request) -> web.Response:
    """Redirect to the page, by a relative URL because a proxy may serve it below another path."""
    return web.Response(status=308, headers={hdrs.LOCATION: "../docs"})


async def asset(request: web.Request) -> web.FileResponse:
    """Answer with one of the page's files."""
    path = _ASSETS.get(request.match_info["asset"])
    if path is None:
        raise NotFound("file")
    return web.FileResponse(path, headers={hdrs.CACHE_CONTROL: REVALIDATE})
