"""Who asks, whether they may, and whether not too often: before a handler hears of it."""

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from services.api.access import store
from services.api.access.limits import Rate
from services.api.access.model import Key, Principal, Unauthenticated, valid
from services.api.appkeys import LIMITS, PRINCIPAL, RATE, REFUSED, SCOPE_OF
from services.api.lending import connection


@web.middleware
async def authenticate(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let only a valid key with the scope that the route declares come through to its handler."""
    if request.match_info.http_exception is None:
        scope = request.app[SCOPE_OF][request.match_info.handler]
        if scope is not None:
            principal = await _admitted(request, _key(request))
            principal.need(scope)
            request[PRINCIPAL] = principal
    return await handler(request)


async def _admitted(request: web.Request, key: Key) -> Principal:
    """Return who holds `key`, with the request counted; a slice is leased by the same query."""
    limits, refused, digest = request.app[LIMITS], request.app[REFUSED], key.sha256
    async with limits.turn(digest) as rate:
        if rate is not None:
            _told(request, rate)
        elif not limits.knows(digest):
            refused.check(digest)
        async with connection(request) as conn:
            if rate is not None:
                holder = await store.principal(conn, key)
            else:
                holder, lease = await store.admit(conn, key, limits.limit) or (None, None)
        try:
            principal = valid(holder)
        except Unauthenticated:
            refused.count(digest)
            raise
        if rate is None and lease is not None:
            _told(request, limits.lease(digest, lease))
        return principal


def _told(request: web.Request, rate: Rate) -> None:
    request[RATE] = rate
    rate.check()


def _key(request: web.Request) -> Key:
    return Key.bearer(request.headers.getall(hdrs.AUTHORIZATION, []))
