"""Authentication: the key of a request, its scope and its rate, before the handler runs."""

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from services.api.access import store
from services.api.access.model import Key, Principal, valid
from services.api.access.rate_limit import Rate
from services.api.core.refusals import Unauthenticated
from services.api.http.appkeys import (
    BORROWER,
    BORROWERS,
    INVALID_KEYS,
    LEDGER_VERSION,
    LIMITS,
    PRINCIPAL,
    RATE,
    ROUTE,
)
from services.api.http.connections import connection
from services.api.http.route import Route


@web.middleware
async def authenticate(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Call the handler only if the request has a valid key with the scope of its route."""
    route = request[ROUTE]
    if route is not None and route.scope is not None:
        principal = await _admitted(request, route, _key(request))
        principal.need(route.scope)
        request[PRINCIPAL] = principal
        request[BORROWER] = principal.business_id
    return await handler(request)


async def _admitted(request: web.Request, route: Route, key: Key) -> Principal:
    """Count the request in the rate limit of `key`, and return the principal of the key."""
    limits, digest = request.app[LIMITS], key.sha256
    request[BORROWER] = request.app[BORROWERS].of(digest)
    rate = limits.take(digest)
    if rate is not None:
        return await _looked_up(request, route, key, rate)
    async with limits.turn(digest) as rate:
        if rate is not None:
            return await _looked_up(request, route, key, rate)
        return await _leased(request, key)


async def _looked_up(request: web.Request, route: Route, key: Key, rate: Rate) -> Principal:
    _check(request, rate)
    async with connection(request) as conn:
        if not route.is_conditional:
            return _valid(request, key, await store.principal(conn, key))
        holder, version = await store.principal_and_version(conn, key) or (None, "")
    principal = _valid(request, key, holder)
    request[LEDGER_VERSION] = version
    return principal


async def _leased(request: web.Request, key: Key) -> Principal:
    """Lease a slice of the rate limit and return the principal of `key`, in one query.

    The request is the first one that is counted in the slice.
    """
    limits = request.app[LIMITS]
    if not limits.knows(key.sha256):
        request.app[INVALID_KEYS].check(key.sha256)
    async with connection(request) as conn:
        holder, leased = await store.admit(conn, key, limits.limit) or (None, None)
    principal = _valid(request, key, holder)
    if leased is not None:
        _check(request, limits.add(key.sha256, leased))
    return principal


def _valid(request: web.Request, key: Key, holder: Principal | None) -> Principal:
    try:
        principal = valid(holder)
    except Unauthenticated:
        request.app[LIMITS].forget(key.sha256)
        request.app[INVALID_KEYS].count(key.sha256)
        raise
    request.app[BORROWERS].note(key.sha256, principal.business_id)
    return principal


def _check(request: web.Request, rate: Rate) -> None:
    request[RATE] = rate
    rate.check()


def _key(request: web.Request) -> Key:
    return Key.bearer(request.headers.getall(hdrs.AUTHORIZATION, []))
