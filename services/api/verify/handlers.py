"""The calls by which whoever has a statement on paper compares it with the real one."""

import asyncio
from collections.abc import Collection
from decimal import Decimal
from functools import partial
from http import HTTPStatus
from typing import Final

from aiohttp import hdrs, web

from services.api.access.attempts import Attempts
from services.api.core.refusals import Invalid, NotFound, RateLimited
from services.api.http import cors, negotiation, query
from services.api.http.located import find
from services.api.verify import page, store, written
from services.api.verify.model import Verified
from shared.statements.language import LANGUAGES, language

# The attempts with each hash.
ATTEMPTS = web.AppKey("ATTEMPTS", Attempts)

_HASH, _CLOSING = "sha256", "closing"
_JSON, _HTML = "application/json", "text/html"
# Each refusal takes so long, that its time does not tell whether there is such a statement.
_REFUSED_S: Final = 0.25


async def show(request: web.Request) -> web.Response:
    """Answer with what the statement of a hash says, if its closing balance is the given one."""
    named = request.match_info[_HASH]
    if _wants_page(request):
        return await _page(request, named, query.once(request, _CLOSING))
    closing = query.once(request, _CLOSING)
    try:
        amount = written.plain_amount(closing)
    except ValueError as error:
        raise Invalid(_CLOSING, "is missing" if not closing else str(error)) from None
    found = await _confirmed(request, named, {amount})
    return _private(web.Response(body=found.to_json(), content_type=_JSON))


async def ask(request: web.Request) -> web.Response:
    """Answer with a page that asks for hash and balance, or with what their statement says."""
    return await _page(request, query.once(request, _HASH), query.once(request, _CLOSING))


async def _page(request: web.Request, named: str, closing: str) -> web.Response:
    # A refusal does not tell the language of a statement.
    preferred = request.headers.get(hdrs.ACCEPT_LANGUAGE, "")
    asked = partial(page.form, language(negotiation.language(preferred, LANGUAGES)), named)
    if not closing:
        return _private(asked())
    try:
        amounts = written.printed_amounts(closing)
        return _private(page.statement(await _confirmed(request, named, amounts)))
    except ValueError:
        return _private(asked(closing, "unreadable", HTTPStatus.UNPROCESSABLE_ENTITY))
    except NotFound:
        return _private(asked(closing, "unknown", HTTPStatus.NOT_FOUND))
    except RateLimited:
        return _private(asked(closing, "too_often", HTTPStatus.TOO_MANY_REQUESTS))


async def _confirmed(request: web.Request, named: str, closing: Collection[Decimal]) -> Verified:
    """Return the statement of a hash. Raises NotFound or RateLimited."""
    begun, digest, attempts = _now(), written.digest(named), request.app[ATTEMPTS]
    if digest is not None:
        attempts.take(digest)
        found = await find(request, partial(store.statement, digest=digest))
        if found is not None and found.closing_balance in closing:
            return found
    await rest_until(begun + _REFUSED_S)
    raise NotFound("statement", said=page.english()["unknown"])


async def rest_until(moment: float) -> None:
    """Wait until the moment, by the clock of the event loop."""
    await asyncio.sleep(moment - _now())


def _now() -> float:
    return asyncio.get_running_loop().time()


def _wants_page(request: web.Request) -> bool:
    accept = ",".join(request.headers.getall(hdrs.ACCEPT, ()))
    return negotiation.names(accept, _HTML) and negotiation.best(accept, (_HTML, _JSON)) == _HTML


def _private(response: web.Response) -> web.Response:
    """Return the answer so that nobody keeps it, nor passes on its address, which has a balance."""
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex"
    response.headers[hdrs.CACHE_CONTROL] = "no-store"
    cors.vary(response, hdrs.ACCEPT, hdrs.ACCEPT_LANGUAGE)
    return response
