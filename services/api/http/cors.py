"""OPTIONS and CORS: only web pages of origins that the operator listed may read answers."""

from collections.abc import Iterable

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from services.api.http.appkeys import SETTINGS

_ASKS = (hdrs.ACCESS_CONTROL_REQUEST_METHOD, hdrs.ACCESS_CONTROL_REQUEST_HEADERS)
_MAY_SEND = (
    "Authorization, Content-Type, Idempotency-Key, If-None-Match,"
    " Ledger-Version, X-Request-Id, traceparent"
)
_MAY_READ = (
    "X-Request-Id, Location, Content-Location, ETag, Retry-After, Idempotency-Replayed, RateLimit,"
    " RateLimit-Policy, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, WWW-Authenticate,"
    " Allow, Link, X-Total-Count, Content-Disposition, X-Figures-SHA256,"
    " Ledger-Version"
)
_REMEMBERED = 7200  # seconds for which a browser caches a preflight


@web.middleware
async def options(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer OPTIONS with the methods of the path, and for a browser the headers it may send."""
    if request.method != hdrs.METH_OPTIONS:
        return await handler(request)
    refused = request.match_info.http_exception
    if isinstance(refused, web.HTTPMethodNotAllowed):
        methods = allow(refused.allowed_methods)
    elif request.path == "*":
        methods = allow({hdrs.METH_GET, hdrs.METH_HEAD, hdrs.METH_POST, hdrs.METH_DELETE})
    else:
        return await handler(request)
    answer = web.Response(status=204, headers={hdrs.ALLOW: methods})
    if hdrs.ACCESS_CONTROL_REQUEST_METHOD in request.headers and _allowed(request):
        answer.headers[hdrs.ACCESS_CONTROL_ALLOW_METHODS] = methods
        answer.headers[hdrs.ACCESS_CONTROL_ALLOW_HEADERS] = _MAY_SEND
        answer.headers[hdrs.ACCESS_CONTROL_MAX_AGE] = str(_REMEMBERED)
    if request.app[SETTINGS].cors_origins:
        vary(answer, *_ASKS)
    return answer


def allow(methods: Iterable[str]) -> str:
    """Return the Allow header of a path with these methods; every path supports OPTIONS."""
    return ", ".join(sorted({*methods, hdrs.METH_OPTIONS}))


def add_to(request: web.Request, response: web.StreamResponse) -> None:
    """Let pages of the allowed origins read this answer."""
    origins = request.app[SETTINGS].cors_origins
    if not origins:
        return
    if "*" not in origins:
        vary(response, hdrs.ORIGIN)
    allowed = _allowed(request)
    if allowed:
        response.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = allowed
        response.headers[hdrs.ACCESS_CONTROL_EXPOSE_HEADERS] = _MAY_READ


def vary(response: web.StreamResponse, *names: str) -> None:
    """Add request headers to Vary, which a cache has to compare, unless they are there."""
    given = response.headers.get(hdrs.VARY, "").split(", ")
    response.headers[hdrs.VARY] = ", ".join(filter(None, dict.fromkeys([*given, *names])))


def _allowed(request: web.Request) -> str | None:
    origins, origin = request.app[SETTINGS].cors_origins, request.headers.get(hdrs.ORIGIN)
    if origin is None:
        return None
    if "*" in origins:
        return "*"
    return origin if origin in origins else None
