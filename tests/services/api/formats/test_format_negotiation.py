"""Which format a request gets: by `format`, by Accept, with a key and without one."""

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from services.api.core.refusals import Invalid
from services.api.formats.negotiation import OF_LISTS, Format, chosen, media_types

ALL = OF_LISTS
TABLE = (Format.JSON, Format.CSV, Format.XLSX, Format.HTML)
CHROMIUM = (
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;"
    "q=0.8,application/signed-exchange;v=b3;q=0.7"
)
XLSX = Format.XLSX.media


def request(query: str = "", accept: str | None = None, *, key: bool = True) -> web.Request:
    headers = {} if accept is None else {"Accept": accept}
    if key:
        headers["Authorization"] = "Bearer x"
    return make_mocked_request("GET", f"/{query}", headers=headers)


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, Format.JSON),
        ("*/*", Format.JSON),
        ("application/*", Format.JSON),
        ("application/json; charset=utf-8", Format.JSON),
        ("text/csv", Format.CSV),
        ("TEXT/CSV; header=present", Format.CSV),
        ("text/csv, */*", Format.CSV),
        ("text/csv;q=0.5, */*;q=0.1", Format.CSV),
        ("text/csv;q=0.1, */*;q=0.5", Format.JSON),
        ("application/x-ndjson, application/json;q=0.9", Format.NDJSON),
        ("application/json;q=0.9, application/pdf", Format.PDF),
        (f"{XLSX}, application/pdf", Format.XLSX),
        ("application/json;q=0, application/*", Format.NDJSON),
        ("application/json;q=0, */*", Format.NDJSON),
        ("application/pdf, application/*;q=0", Format.PDF),
        ("text/*", Format.CSV),
        ("text/*, text/csv;q=0.1", Format.HTML),
        # HTML for a key only if Accept admits no JSON, wildcards included.
        (CHROMIUM, Format.JSON),
        ("text/html, application/json;q=0.1", Format.JSON),
        ("text/html, text/csv;q=0.9, */*;q=0.1", Format.CSV),
        ("text/html", Format.HTML),
        ("text/html, application/json;q=0", Format.HTML),
        ("text/html, text/csv;q=0.9", Format.HTML),
    ],
)
def test_accept_chooses_for_a_program(accept: str | None, expected: Format) -> None:
    assert chosen(request(accept=accept), ALL) is expected


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (CHROMIUM, Format.HTML),
        ("*/*", Format.HTML),
        (None, Format.HTML),
        ("text/html, application/json", Format.HTML),
        ("application/json", Format.JSON),
        ("text/csv, text/html;q=0.9", Format.CSV),
    ],
)
def test_a_person_at_a_browser_prefers_the_page(accept: str | None, expected: Format) -> None:
    assert chosen(request(accept=accept, key=False), ALL) is expected


@pytest.mark.parametrize("each", ALL)
@pytest.mark.parametrize("accept", ["*/*", "image/png", CHROMIUM])
@pytest.mark.parametrize("key", [True, False])
def test_the_parameter_wins(each: Format, accept: str, key: bool) -> None:  # noqa: FBT001
    assert chosen(request(f"?format={each.word}", key=key, accept=accept), ALL) is each


@pytest.mark.parametrize("word", ["xml", "", "JSON", "application/json", "csv,json", "text/csv"])
def test_an_unknown_word_is_refused_with_the_known_ones(word: str) -> None:
    with pytest.raises(Invalid, match=r"format: should be one of json, csv, xlsx, html\Z"):
        chosen(request(f"?format={word}"), TABLE)


def test_two_words_are_refused_and_the_same_one_twice_is_not() -> None:
    with pytest.raises(Invalid, match="format: should be given once"):
        chosen(request("?format=csv&format=json"), TABLE)
    assert chosen(request("?format=csv&format=csv"), TABLE) is Format.CSV


@pytest.mark.parametrize("word", ["pdf", "ndjson"])
def test_a_format_that_a_report_lacks_is_refused_with_those_it_has(word: str) -> None:
    with pytest.raises(web.HTTPNotAcceptable) as refused:
        chosen(request(f"?format={word}"), TABLE)
    assert refused.value.text == (
        f"There is no {word} of this report; its formats are json, csv, xlsx, html."
    )


@pytest.mark.parametrize(
    "accept", ["application/pdf", "image/*", "text/csv;q=0", "*/*;q=0", "nonsense"]
)
@pytest.mark.parametrize("key", [True, False])
def test_accept_may_rule_out_every_format(accept: str, key: bool) -> None:  # noqa: FBT001
    with pytest.raises(web.HTTPNotAcceptable) as refused:
        chosen(request(accept=accept, key=key), TABLE)
    for media in media_types(TABLE):
        assert media in (refused.value.text or "")


def test_a_report_without_a_page_gives_a_browser_its_data() -> None:
    assert chosen(request(key=False, accept=CHROMIUM), (Format.JSON, Format.CSV)) is Format.JSON


def test_all_headers_of_that_name_count() -> None:
    given = [("Accept", "text/html;q=0.2"), ("Accept", "text/csv"), ("Authorization", "Bearer x")]
    several = make_mocked_request("GET", "/", headers=given)
    assert chosen(several, ALL) is Format.CSV
