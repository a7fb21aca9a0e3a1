"""The page on which a person signs in with a key, and the end of a session."""

from functools import partial
from http import HTTPStatus

from aiohttp import hdrs, web

from services.api.access import sessions
from services.api.access.model import Key, Principal
from services.api.core.parsing import parse
from services.api.core.refusals import Forbidden, RateLimited, Scope, Unauthenticated
from services.api.formats.page import answers
from services.api.formats.page.templates import template
from services.api.http import browsers, request_body
from services.api.http.authentication import admitted
from services.api.http.connections import connection
from services.api.http.located import find_holder
from services.api.sign_in.model import SignInBody

_SCOPE: Scope = "reports:read"
# The same for each reason, so that the page tells nobody which keys there are.
_REFUSED = (
    "This key does not open the reports: it is mistyped, unknown, revoked, expired, or it may not"
    " read them."
)
_TOO_OFTEN = "This key was used too often. Try again in a minute."


async def ask(request: web.Request) -> web.Response:
    """Answer with the page for signing in."""
    return _page(browsers.own_path(request.query.get("next", "")))


async def sign_in(request: web.Request) -> web.Response:
    """Begin a session of the key in the body, and lead the browser to the page that it wanted."""
    browsers.refuse_foreign(request)
    body = parse(SignInBody, await request_body.fields(request))
    wanted = browsers.own_path(body.next)
    try:
        principal = await _holder(request, body.key)
    except (Unauthenticated, Forbidden):
        return _page(wanted, _REFUSED, HTTPStatus.FORBIDDEN)
    except RateLimited:
        return _page(wanted, _TOO_OFTEN, HTTPStatus.TOO_MANY_REQUESTS)
    async with connection(request) as conn:
        token = await sessions.begin(conn, principal.key_id)
    response = _to(wanted)
    browsers.store_token(request, response, token)
    return response


async def sign_out(request: web.Request) -> web.Response:
    """End the browser's session, and lead it to the page for signing in. It may be repeated."""
    browsers.refuse_foreign(request)
    token = browsers.token(request)
    if token is not None and await find_holder(
        request, token.sha256, partial(sessions.key_of, token=token)
    ):
        async with connection(request) as conn:
            await sessions.end(conn, token)
    response = _to(browsers.SIGN_IN)
    browsers.drop_token(request, response)
    return response


async def _holder(request: web.Request, text: str) -> Principal:
    key = Key.parse(text)
    if key is None:
        raise Unauthenticated(_REFUSED, given=True)
    principal = await admitted(request, key.sha256)
    principal.need(_SCOPE)
    return principal


def _page(wanted: str, error: str = "", status: int = HTTPStatus.OK) -> web.Response:
    text = template("sign_in.html").render(next=wanted, error=error)
    return answers.page(text, status=status)


def _to(path: str) -> web.Response:
    return web.Response(status=HTTPStatus.SEE_OTHER, headers={hdrs.LOCATION: path})
