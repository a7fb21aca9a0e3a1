"""Who asks, whether they may, and whether not too often: before a handler hears of it."""

import re

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from services.api.access import store
from services.api.access.limits import Rate
from services.api.access.model import Forbidden, Key, Principal, Unauthenticated
from services.api.appkeys import GUESSES, LIMITS, PRINCIPAL, RATE, SCOPE_OF, connection

_BEARER = re.compile(r"bearer +(\S+)", re.IGNORECASE)


@web.middleware
async def authenticate(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let only a valid key with the scope that the route declares come through to its handler."""
    if request.match_info.http_exception is None:
        scope = request.app[SCOPE_OF][request.match_info.handler]
        if scope is not None:
            principal = await _admitted(request, _key(request))
            if scope not in principal.scopes:
                raise Forbidden(scope)
            request[PRINCIPAL] = principal
    return await handler(request)


async def _admitted(request: web.Request, key: Key) -> Principal:
    """Return who holds `key`, with the request counted; a slice is leased by the same query."""
    limits, guesses, address = request.app[LIMITS], request.app[GUESSES], request.remote or ""
    digest = key.sha256
    rate = limits.take(digest)
    if rate is not None:
        _told(request, rate)
    elif not limits.knows(digest):
        guesses.check(address)
    async with connection(request) as conn:
        if rate is not None:
            holder = await store.principal(conn, key)
        else:
            holder, lease = await store.admit(conn, key, limits.limit) or (None, None)
    if holder is None or holder.is_expired:
        guesses.count(address)
        raise Unauthenticated(_why(holder), given=True)
    if rate is None and lease is not None:
        _told(request, limits.lease(digest, lease))
    return holder


def _told(request: web.Request, rate: Rate) -> None:
    request[RATE] = rate
    rate.check()


def _why(holder: Principal | None) -> str:
    if holder is None or holder.expires_at is None:
        return "This key is unknown or revoked."
    return f"This key expired at {holder.expires_at:%Y-%m-%dT%H:%M:%SZ}."


def _key(request: web.Request) -> Key:
    given = request.headers.getall(hdrs.AUTHORIZATION, [])
    match = _BEARER.fullmatch(given[0]) if len(given) == 1 else None
    if match is None:
        raise Unauthenticated(
            "The request should carry one header Authorization: Bearer KEY.", given=False
        )
    key = Key.parse(match[1])
    if key is None:
        raise Unauthenticated("This is not a key of this API; was it mistyped?", given=True)
    return key
