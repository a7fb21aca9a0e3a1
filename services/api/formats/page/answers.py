"""Pages as answers: never stored, and with nothing but their own style and script."""

from aiohttp import hdrs, web

from services.api.http import cors

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; base-uri 'self';"
        " form-action 'self'; frame-ancestors 'none'"
    ),
    # A browser that sends no referrer at all says of the forms of our own pages that they come from
    # an unknown origin.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Robots-Tag": "noindex",
    hdrs.CACHE_CONTROL: "no-store",
}


def page(text: str, *, status: int = 200) -> web.Response:
    """Return the answer with a page."""
    response = web.Response(
        text=text, status=status, content_type="text/html", charset="utf-8", headers=_HEADERS
    )
    cors.vary(response, hdrs.ACCEPT, hdrs.AUTHORIZATION, hdrs.COOKIE)
    return response
