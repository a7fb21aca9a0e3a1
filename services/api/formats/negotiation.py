"""The formats of reports, and which of them a request asks for."""

from collections.abc import Sequence
from enum import Enum
from functools import lru_cache

from aiohttp import hdrs, web

from services.api.core.refusals import Invalid
from services.api.http import negotiation

PARAMETER = "format"
_HEADERS_KEPT = 256  # programs send the same Accept each time


class Format(Enum):
    """A format of answers, by the word that asks for it; JSON is preferred if a caller has no wish.

    The word is also the extension of a report's file.
    """

    JSON = "json", "application/json"
    NDJSON = "ndjson", "application/x-ndjson"
    CSV = "csv", "text/csv"
    XLSX = "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    PDF = "pdf", "application/pdf"
    HTML = "html", "text/html"
    TEXT = "text", "text/plain"
    EML = "eml", "message/rfc822"

    def __init__(self, word: str, media: str) -> None:
        self.word = word
        self.media = media


#: What a list of customers can be.
OF_LISTS = (Format.JSON, Format.NDJSON, Format.CSV, Format.XLSX, Format.PDF, Format.HTML)


def media_types(offered: Sequence[Format]) -> tuple[str, ...]:
    """Return the media types of these formats, for the route that offers them."""
    return tuple(each.media for each in offered)


def chosen(request: web.Request, offered: Sequence[Format]) -> Format:
    """Return the one of the offered formats that a request asks for by `format`, or by Accept.

    `format` wins. With Authorization, Accept chooses HTML only if it admits no JSON, not even by a
    wildcard: a program that sends the Accept of a browser still gets JSON. Without Authorization
    there is a person at a browser, who prefers HTML.

    Raises Invalid if there is no format of that name, and HTTPNotAcceptable if it is not offered,
    or Accept rules out all that are offered.
    """
    words = request.query.getall(PARAMETER, None)
    if words is not None:
        return _by_word(words, offered)
    accept = ",".join(request.headers.getall(hdrs.ACCEPT, ()))
    found = _by_accept(accept, tuple(offered), has_key=hdrs.AUTHORIZATION in request.headers)
    if found is None:
        types = " or ".join(media_types(offered))
        raise web.HTTPNotAcceptable(text=f"The answer is {types}, which Accept rules out.")
    return found


def _by_word(words: Sequence[str], offered: Sequence[Format]) -> Format:
    known = {each.word: each for each in Format}
    if len(set(words)) > 1:
        raise Invalid(PARAMETER, "should be given once")
    if words[0] not in known:
        raise Invalid(PARAMETER, f"should be one of {', '.join(each.word for each in offered)}")
    asked = known[words[0]]
    if asked not in offered:
        has = ", ".join(each.word for each in offered)
        raise web.HTTPNotAcceptable(
            text=f"There is no {asked.word} of this report; its formats are {has}."
        )
    return asked


@lru_cache(_HEADERS_KEPT)
def _by_accept(accept: str, offered: tuple[Format, ...], *, has_key: bool) -> Format | None:
    """Return the one of the offered formats that Accept chooses; None if it rules out all."""
    by_media = {each.media: each for each in _preferred(accept, offered, has_key=has_key)}
    media = negotiation.best(accept, tuple(by_media))
    return None if media is None else by_media[media]


def _preferred(accept: str, offered: Sequence[Format], *, has_key: bool) -> Sequence[Format]:
    """Return the formats that Accept may choose from, the preferred ones first."""
    if Format.HTML not in offered:
        return offered
    others = [each for each in offered if each is not Format.HTML]
    if not has_key:
        return [Format.HTML, *others]
    admits_json = negotiation.accepts(accept, (Format.JSON.media,))
    return others if admits_json else offered
