"""The page on which a person compares a statement on paper with the real one."""

from http import HTTPStatus

from aiohttp import hdrs, web

from services.api.formats.page import answers
from services.api.formats.page.templates import template
from services.api.verify.model import Verified
from services.api.verify.written import HASH_CHARS_MAX, PRINTED_CHARS_MAX
from shared.period import Period
from shared.statements import checking
from shared.statements.language import Language, language
from shared.statements.wording import clock, line


def english() -> dict[str, str]:
    """Return the words of the page in English, in which the API speaks to programs."""
    return checking.checking(language("en"))


def form(
    spoken: Language,
    named: str = "",
    closing: str = "",
    error: str | None = None,
    status: int = HTTPStatus.OK,
) -> web.Response:
    """Return the page that asks for the hash and the closing balance; `error` names its words."""
    return _page(
        spoken,
        status,
        found=None,
        named=line(named, HASH_CHARS_MAX),
        closing=line(closing, PRINTED_CHARS_MAX),
        error=error,
        hash_chars_max=HASH_CHARS_MAX,
        printed_chars_max=PRINTED_CHARS_MAX,
    )


def statement(found: Verified) -> web.Response:
    """Return the page that shows what the statement says, in its language."""
    spoken, made = language(found.locale), found.generated_at
    words = checking.checking(spoken)
    rows = (
        (words["business"], line(found.business)),
        (words["period"], spoken.dates.period(Period(found.start, found.end))),
        (words["made_on"], f"{spoken.dates.day(made.date())}{words['comma']}{clock(made)}"),
        (
            words["closing_balance"],
            checking.closing(spoken, found.closing_balance, found.currency),
        ),
    )
    return _page(spoken, HTTPStatus.OK, found=found, rows=rows, hash=_groups(found.sha256))


def _page(spoken: Language, status: int, **given: object) -> web.Response:
    words = checking.checking(spoken)
    text = template("verify.html").render(given, words=words, lang=spoken.tag, dir=spoken.direction)
    response = answers.page(text, status=status)
    response.headers[hdrs.CONTENT_LANGUAGE] = spoken.tag
    return response


def _groups(digits: str) -> str:
    return " ".join(digits[place : place + 4] for place in range(0, len(digits), 4))
