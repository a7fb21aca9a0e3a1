"""Authentication: the key of a request, its scope and its rate, before the handler runs.

The key comes with the request, or on pages from the session of a browser that is signed in.
"""

from datetime import timedelta
from functools import partial

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from services.api.access import sessions, store
from services.api.access.model import Key, Principal, valid
from services.api.access.rate_limit import Rate
from services.api.core.refusals import Busy, Unauthenticated
from services.api.http import browsers
from services.api.http.appkeys import (
    BORROWER,
    BORROWERS,
    DATABASES,
    INVALID_KEYS,
    KEY_DATABASES,
    LEDGER_VERSION,
    LIMITS,
    OVERLAP,
    PRINCIPAL,
    RATE,
    ROUTE,
    SESSION,
)
from services.api.http.connections import connection
from services.api.http.located import find_holder
from services.api.http.route import Route

_IN_TWO = "This business is in two databases, and its operator has to take it out of one of them."


@web.middleware
async def authenticate(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Call the handler only if the request has a valid key with the scope of its route.

    A browser that comes to a page without a key is led to the page for signing in.
    """
    route = request[ROUTE]
    if route is not None and route.scope is not None:
        try:
            principal = await admitted(request, await _digest(request, route))
        except Unauthenticated:
            if route.is_page and browsers.may_sign_in(request):
                return browsers.to_sign_in(request)
            raise
        principal.need(route.scope)
        if (token := request.get(SESSION)) is not None:
            request.app[BORROWERS].note(token.sha256, principal.business_id)
        request[PRINCIPAL] = principal
        request[BORROWER] = principal.business_id
    return await handler(request)


async def admitted(request: web.Request, digest: bytes) -> Principal:
    """Count the request in the rate limit of the key with this hash, and return its principal.

    Raises Unauthenticated if the key is unknown, revoked or expired.
    """
    app = request.app
    limits = app[LIMITS]
    request[BORROWER] = app[BORROWERS].of(digest)
    if len(app[DATABASES]) > 1:
        await _find(request, digest)
    rate = limits.take(digest)
    if rate is not None:
        return await _looked_up(request, digest, rate)
    async with limits.turn(digest) as rate:
        if rate is not None:
            return await _looked_up(request, digest, rate)
        return await _leased(request, digest)


async def _digest(request: web.Request, route: Route) -> bytes:
    """Return the hash of the request's key: of its header, or on a page of its session."""
    given = request.headers.getall(hdrs.AUTHORIZATION, [])
    if not given and route.is_page and (token := browsers.token(request)) is not None:
        return await _of_session(request, token)
    return Key.bearer(given).sha256


async def _of_session(request: web.Request, token: sessions.Token) -> bytes:
    invalid = request.app[INVALID_KEYS]
    invalid.check(token.sha256)
    request[BORROWER] = request.app[BORROWERS].of(token.sha256)
    digest = None
    if await find_holder(request, token.sha256, partial(sessions.key_of, token=token)):
        async with connection(request) as conn:
            digest = await sessions.key_of(conn, token)
    if digest is None:
        request.app[KEY_DATABASES].forget(token.sha256)
        invalid.count(token.sha256)
        raise Unauthenticated("This session has ended.", given=True)
    request[SESSION] = token
    return digest


async def _looked_up(request: web.Request, digest: bytes, rate: Rate) -> Principal:
    _check(request, rate)
    route = request[ROUTE]
    async with connection(request) as conn:
        if route is None or not route.is_conditional:
            return _valid(request, digest, await store.principal(conn, digest))
        holder, version = await store.principal_and_version(conn, digest) or (None, "")
    principal = _valid(request, digest, holder)
    request[LEDGER_VERSION] = version
    return principal


async def _leased(request: web.Request, digest: bytes) -> Principal:
    """Lease a slice of the rate limit and return the principal of the key, in one query.

    The request is the first one that is counted in the slice.
    """
    limits = request.app[LIMITS]
    if not limits.knows(digest):
        request.app[INVALID_KEYS].check(digest)
    async with connection(request) as conn:
        holder, leased = await store.admit(conn, digest, limits.limit) or (None, None)
    principal = _valid(request, digest, holder)
    if leased is not None:
        _check(request, limits.add(digest, leased))
    return principal


async def _find(request: web.Request, digest: bytes) -> None:
    """Find the database of the key with this hash. Raises Unauthenticated if none has it."""
    if request.app[KEY_DATABASES].of(digest) is None:
        request.app[INVALID_KEYS].check(digest)
    if not await find_holder(request, digest, partial(store.has_key, digest=digest)):
        _valid(request, digest, None)


def _valid(request: web.Request, digest: bytes, holder: Principal | None) -> Principal:
    app = request.app
    try:
        principal = valid(holder)
    except Unauthenticated:
        app[LIMITS].forget(digest)
        app[INVALID_KEYS].count(digest)
        app[KEY_DATABASES].forget(digest)
        raise
    app[BORROWERS].note(digest, principal.business_id)
    if principal.business_id in app[OVERLAP].found:
        raise Busy(_IN_TWO, retry_after=timedelta(minutes=1))
    return principal


def _check(request: web.Request, rate: Rate) -> None:
    request[RATE] = rate
    rate.check()
