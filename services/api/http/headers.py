"""The headers that every answer has."""

import math
import secrets
from http import HTTPStatus

from aiohttp import hdrs, web

from services.api.access.rate_limit import WINDOW, Rate
from services.api.http import cors, request_log
from services.api.http.appkeys import CONTENT_LOCATION, RATE, REQUEST_ID, STOPPING

_WINDOW = int(WINDOW.total_seconds())


async def finish(request: web.Request, response: web.StreamResponse) -> None:
    """Add the headers of every answer; aiohttp calls this before the first byte is sent."""
    add_common(response, request.get(REQUEST_ID) or request_id(request))
    if request.app[STOPPING].is_set():
        # Otherwise a caller might send the next request just when the connection is closed.
        response.headers[hdrs.CONNECTION] = "close"
        response.force_close()
    cors.add_to(request, response)
    location = request.get(CONTENT_LOCATION)
    if location is not None and response.status < HTTPStatus.BAD_REQUEST:
        response.headers[hdrs.CONTENT_LOCATION] = location
    rate = request.get(RATE)
    if rate is not None:
        _add_rate(response, rate)


def add_common(response: web.StreamResponse, request_id: str) -> None:
    """Add the headers that every answer has, even if its request could not be read."""
    headers = response.headers
    headers["X-Request-Id"] = request_id
    headers[hdrs.SERVER] = "ledgerpost"
    headers["X-Content-Type-Options"] = "nosniff"
    headers.setdefault(hdrs.CACHE_CONTROL, "no-store")


def request_id(request: web.Request) -> str:
    """Return the id that the caller gave the request, if it may be shown, otherwise a new one."""
    return request_log.request_id(request.headers.get("X-Request-Id")) or new_id()


def new_id() -> str:
    """Return a new UUID of version 4. Making a UUID object takes four times as long."""
    digits = secrets.token_hex(16)
    variant = "89ab"[int(digits[16], 16) % 4]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"


def _add_rate(response: web.StreamResponse, rate: Rate) -> None:
    """Add three legacy RateLimit-* headers, and two of draft-ietf-httpapi-ratelimit-headers-11."""
    reset, headers = math.ceil(rate.reset), response.headers
    headers["RateLimit-Limit"] = str(rate.limit)
    headers["RateLimit-Remaining"] = str(rate.remaining)
    headers["RateLimit-Reset"] = str(reset)
    headers["RateLimit-Policy"] = f'"key";q={rate.limit};w={_WINDOW}'
    headers["RateLimit"] = f'"key";r={rate.remaining};t={reset}'
