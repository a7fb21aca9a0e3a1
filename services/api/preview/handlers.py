"""The calls that show a statement as a send would carry it now."""

from base64 import b64encode
from dataclasses import replace
from typing import Final, TypeVar
from urllib.parse import quote

from aiohttp import hdrs, web

from services.api.core import fields
from services.api.core.parsing import parse
from services.api.core.query_string import parse_query
from services.api.formats.negotiation import Format, chosen
from services.api.http import cors, request_body
from services.api.http.appkeys import PREVIEW_TURNS, PRINCIPAL
from services.api.http.connections import connection
from services.api.http.making import made_while_wanted
from services.api.http.periods import requested_period
from services.api.http.problem_json import NO_ANSWER, BrokenOff
from services.api.preview.draft import Draft, draft
from services.api.preview.mails import Previews
from services.api.preview.options import PreviewOptions
from services.api.sends.request import SendBody, SendRequest
from shared.period import Period
from shared.rendering.frames import Part

OFFERED: Final = (Format.JSON, Format.HTML, Format.TEXT, Format.PDF, Format.EML)
_WITHOUT_PDF: Final = tuple(each for each in OFFERED if each is not Format.PDF)
FIGURES: Final = "X-Figures-SHA256"

# Makes mails in processes of their own.
PREVIEWS = web.AppKey("PREVIEWS", Previews)

_PARTS: Final[dict[Format, Part]] = {
    Format.TEXT: "text",
    Format.HTML: "html",
    Format.PDF: "pdf",
}
_SUFFIXES: Final = {Format.TEXT: "txt"}
_TEXTS: Final = frozenset({Format.HTML, Format.TEXT})
_SHOWN: Final = frozenset({Format.HTML, Format.TEXT, Format.PDF})
# The mail is a document of its own, with nothing but its styles and its logo: it can neither run a
# script, nor ask for anything, nor act with the session of whoever looks at it.
_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none';"
        " form-action 'none'; frame-ancestors 'none'; sandbox"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
    hdrs.CACHE_CONTROL: "no-store",
}
_LOGO: Final = b'src="cid:logo"'

_Response = TypeVar("_Response", web.Response, web.StreamResponse)


async def show(request: web.Request) -> web.StreamResponse:
    """Answer with the statement that a send without a body would carry."""
    form, period = _form(request), await requested_period(request)
    options = parse_query(PreviewOptions, request.query.items())
    asked = SendRequest.of(_customer(request), period, SendBody())
    asked = replace(asked, kind=options.statement_kind, locale=options.locale)
    return await _answer(request, form, period, asked)


async def show_send(request: web.Request) -> web.StreamResponse:
    """Answer with the statement that a send with the same body would carry."""
    form, period = _form(request), await requested_period(request)
    body = parse(SendBody, await request_body.fields(request))
    return await _answer(request, form, period, SendRequest.of(_customer(request), period, body))


def _form(request: web.Request) -> Format:
    return chosen(request, OFFERED if request.app[PREVIEWS].has_pdf else _WITHOUT_PDF)


def _customer(request: web.Request) -> int:
    return fields.customer_id(request.match_info["id"])


async def _answer(
    request: web.Request, form: Format, period: Period, asked: SendRequest
) -> web.StreamResponse:
    async with connection(request) as conn:
        found = await draft(conn, request[PRINCIPAL].business_id, period, asked)
    if form is Format.JSON:
        return _described(web.Response(body=found.snapshot.content), found, form)
    if request.method == hdrs.METH_HEAD:
        return _described(web.StreamResponse(), found, form)  # its length is not known
    content = await made_while_wanted(
        request, lambda: _content(request, found, form), PREVIEW_TURNS
    )
    if content is None:
        return BrokenOff(request, NO_ANSWER)
    return _described(web.Response(body=content), found, form)


async def _content(request: web.Request, found: Draft, form: Format) -> bytes:
    previews = request.app[PREVIEWS]
    if form is Format.EML:
        return await previews.message(found)
    content = await previews.part(found, _PARTS[form])
    if form is Format.HTML and found.logo is not None:
        return content.replace(_LOGO, b'src="data:image/png;base64,%b"' % b64encode(found.logo))
    return content


def _described(response: _Response, found: Draft, form: Format) -> _Response:
    name = quote(found.file_name(_SUFFIXES.get(form, form.word)), safe="")
    place = "inline" if form in _SHOWN else "attachment"
    response.headers.update(_HEADERS)
    response.headers[FIGURES] = found.snapshot.figures_sha256
    response.headers[hdrs.CONTENT_DISPOSITION] = f"{place}; filename*=UTF-8''{name}"
    response.content_type = form.media
    if form in _TEXTS:
        response.charset = "utf-8"
    cors.vary(response, hdrs.ACCEPT, hdrs.AUTHORIZATION, hdrs.COOKIE)
    return response
