"""What a browser sends beside the request of a person: its session, and where a form came from."""

import re
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit

from aiohttp import hdrs, web
from yarl import URL

from services.api.access import sessions
from services.api.http import cors, negotiation
from services.api.http.appkeys import SESSION, SETTINGS

SIGN_IN = "/sign-in"
START = "/reports"
_COOKIE = "ledgerpost_session"
_NEXT_CHARS_MAX = 2000
# A path and a query in visible ASCII: no backslash, which browsers read as a slash, and no second
# slash at the start, after which browsers read a host.
_PATH = re.compile(r"/(?![/\\])[!-\[\]-~]*")
# Two slashes at the start; or a part of dots, which may leave two of them there.
_LEADS_UP = re.compile(r"^//|/\.{1,2}(/|$)")
_OWN_SITES = frozenset({"same-origin", "none"})


def token(request: web.Request) -> sessions.Token | None:
    """Return the token in the request's cookie, or None if there is none of its form."""
    return sessions.Token.parse(request.cookies.get(_COOKIE, ""))


def store_token(request: web.Request, response: web.StreamResponse, token: sessions.Token) -> None:
    """Let the browser keep the token of a session for as long as the session may last."""
    response.set_cookie(
        _COOKIE,
        token.text,
        max_age=int(sessions.LIFETIME.total_seconds()),
        path="/",
        secure=_is_secure(request.app[SETTINGS].public_url),
        httponly=True,
        samesite="Strict",
    )


def drop_token(request: web.Request, response: web.StreamResponse) -> None:
    """Let the browser delete its token."""
    response.del_cookie(
        _COOKIE,
        path="/",
        secure=_is_secure(request.app[SETTINGS].public_url),
        httponly=True,
        samesite="Strict",
    )


def may_sign_in(request: web.Request) -> bool:
    """Return whether a request without a valid key is one of a browser, for a person."""
    accept = ",".join(request.headers.getall(hdrs.ACCEPT, ()))
    return hdrs.AUTHORIZATION not in request.headers and negotiation.names(accept, "text/html")


def reads_page(request: web.Request) -> bool:
    """Return whether the answer is for a person who is signed in, and not for a download."""
    wanted = request.query.get("format", "html")
    return SESSION in request and may_sign_in(request) and wanted == "html"


def to_sign_in(request: web.Request) -> web.Response:
    """Lead a browser to the page for signing in, and from there back to this page."""
    wanted = request.path_qs if len(request.path_qs) <= _NEXT_CHARS_MAX else request.path
    location = str(URL(SIGN_IN).with_query(next=own_path(wanted)))
    response = web.Response(status=303, headers={hdrs.LOCATION: location})
    cors.vary(response, hdrs.ACCEPT, hdrs.AUTHORIZATION, hdrs.COOKIE)
    return response


def own_path(text: str) -> str:
    """Return `text` if it is a path of this origin, as a browser would read it; else the start.

    It is also checked as it would be after decoding, because something on the way may decode it.
    """
    if len(text) > _NEXT_CHARS_MAX or not _PATH.fullmatch(text):
        return START
    decoded = text.partition("?")[0]
    for _ in range(3):
        decoded = unquote(decoded)
        if "\\" in decoded or not decoded.isprintable() or _LEADS_UP.search(decoded):
            return START
    return text


def refuse_foreign(request: web.Request) -> None:
    """Raise HTTPForbidden if a page of another origin sent the request.

    A browser says so in `Sec-Fetch-Site`, older ones in `Origin`. The origin is ours if it is that
    of PUBLIC_URL, or has the request's own host.
    """
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get(hdrs.ORIGIN)
    if (site is not None and site not in _OWN_SITES) or not (
        origin is None or _is_own(request, origin)
    ):
        raise web.HTTPForbidden(text="A page of another site sent this request.")


def _is_own(request: web.Request, origin: str) -> bool:
    public = urlsplit(request.app[SETTINGS].public_url)
    if origin == f"{public.scheme}://{public.netloc}".lower():
        return True
    scheme, _, host = origin.partition("://")
    return scheme in {"http", "https"} and host != "" and host == request.headers.get(hdrs.HOST)


def _is_secure(public_url: str) -> bool:
    """Return whether the cookie may only be sent encrypted: unless the URL is one of this host."""
    parts = urlsplit(public_url)
    return parts.scheme != "http" or not _is_loopback(parts.hostname or "")


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
