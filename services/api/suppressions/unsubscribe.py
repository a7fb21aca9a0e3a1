"""The page of a mail's List-Unsubscribe link: its button sends the POST of RFC 8058."""

from functools import partial
from html import escape
from typing import Annotated, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from services.api.core.parsing import parse
from services.api.core.refusals import NotFound
from services.api.http import request_body
from services.api.http.appkeys import UNSUBSCRIBE_LINKS
from services.api.http.connections import connection
from services.api.http.located import find
from services.api.suppressions import store
from services.api.suppressions.model import Addressee

_FIELD, _VALUE = "List-Unsubscribe", "One-Click"


class UnsubscribeBody(BaseModel):
    """The body that a mail service, or the button on the page, posts."""

    model_config = ConfigDict(frozen=True)

    asked: Annotated[Literal["One-Click"], Field(alias=_FIELD)]


_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'"
    ),
    # Whoever knows the URL of the page can unsubscribe the recipient.
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
}
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font: 1.1rem/1.5 system-ui; max-width: 32rem; margin: 4rem auto; padding: 0 1rem }}
button {{ font: inherit; padding: .5rem 1.25rem }}
</style>
</head>
<body>
<h1>{title}</h1>
<p>{sentence}</p>
{action}
</body>
</html>
"""
_BUTTON = f"""<form method="post">
<input type="hidden" name="{_FIELD}" value="{_VALUE}">
<button>Unsubscribe</button>
</form>"""


async def ask(request: web.Request) -> web.Response:
    """Answer with a page that has the button; change nothing, because link scanners send GETs."""
    to = await _recipient(request)
    sentence = f"Should {_business(to)} no longer send statements to {escape(to.email)}?"
    return _page("Unsubscribe", sentence, _BUTTON)


async def unsubscribe(request: web.Request) -> web.Response:
    """Add the address to the business's list; it may be repeated."""
    # First, so that the body of a request with an invalid link is not read.
    to = await _recipient(request)
    parse(UnsubscribeBody, await request_body.fields(request))
    async with connection(request) as conn:
        await store.unsubscribe(conn, to)
    sentence = f"{_business(to)} will send no more statements to {escape(to.email)}."
    return _page("Unsubscribed", sentence)


async def _recipient(request: web.Request) -> Addressee:
    links = request.app[UNSUBSCRIBE_LINKS]
    delivery_id = links.delivery(request.match_info["token"]) if links else None
    if delivery_id is None:
        raise NotFound("link")
    found = await find(request, partial(store.recipient, delivery_id=delivery_id))
    if found is None:
        raise NotFound("mail")
    return found


def _business(to: Addressee) -> str:
    return escape(to.business_name or "This business")


def _page(title: str, sentence: str, action: str = "") -> web.Response:
    text = _PAGE.format(title=title, sentence=sentence, action=action)
    return web.Response(text=text, content_type="text/html", charset="utf-8", headers=_HEADERS)
