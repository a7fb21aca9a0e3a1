"""The page for signing in: its cookie, whom it refuses, and where it leads."""

import logging
import re
from html import unescape

import pytest

from services.api.access.model import Key
from services.api.core.refusals import SCOPES
from services.api.http.browsers import START, own_path
from shared.process.settings import ApiSettings
from tests.roles import acting
from tests.services.api.api_client import NOVEMBER, REPORTS, Api, serving
from tests.services.api.ledgers import new_key
from tests.services.api.sign_in.browser import Browser, cookie

LIST = f"{REPORTS}/{NOVEMBER}"
FOREIGN = (
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "https://evil.example",
    "HTTPS:evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "evil.example",
    "@evil.example",
    "",
    " /reports",
    "/reports\r\nSet-Cookie: a=b",
    "/\t/evil.example",
    "/\n/evil.example",
    "/%2f/evil.example",
    "/%2Fevil.example",
    "/%5cevil.example",
    "/%5Cevil.example",
    "/%252fevil.example",
    "/%25252fevil.example",
    "/%0d%0aLocation:%20x",
    "/%00",
    "/\uff41",
    "/\u2028",
    "/.//evil.example",
    "/..//evil.example",
    "/%2e%2e//evil.example",
    "/reports/" + "a" * 2000,
)
OWN = (
    "/reports",
    LIST,
    f"{LIST}?q=%2F%2Fevil.example&sort=-balance",
    f"{LIST}?q=%0a&per_page=10#t1",
    f"{REPORTS}/client/4/{NOVEMBER}/explain/balance?basis=cash",
)


@pytest.mark.parametrize("wanted", FOREIGN)
def test_what_could_lead_elsewhere_leads_to_the_start(wanted: str) -> None:
    assert own_path(wanted) == START


@pytest.mark.parametrize("wanted", OWN)
def test_a_path_of_this_origin_is_followed(wanted: str) -> None:
    assert own_path(wanted) == wanted


async def test_next_is_checked_on_the_page_and_again_in_the_form(api: Api) -> None:
    browser = Browser(api)
    assert api.key is not None
    for wanted in ("//evil.example", "https://evil.example", "/\\evil.example"):
        page = await browser.get("/sign-in", params={"next": wanted})
        assert "evil.example" not in page.text
        answer = await browser.sign_in(api.key, wanted)
        assert (answer.status, answer.headers["Location"]) == (303, START)


async def test_a_browser_without_a_key_is_led_to_sign_in_and_back(api: Api) -> None:
    browser = Browser(api)
    wanted = f"{LIST}?x=1&y=%26"
    answer = await browser.get(wanted)
    assert answer.status == 303
    assert answer.text == ""
    assert {"Accept", "Authorization", "Cookie"} <= set(answer.headers["Vary"].split(", "))
    page = await browser.get(answer.headers["Location"])
    assert page.status == 200
    assert page.headers["Cache-Control"] == "no-store"
    shown = [unescape(each) for each in re.findall(r'(?:value|href)="(/api[^"]*)"', page.text)]
    assert shown == [wanted, wanted], "in the form, and as the link to continue"
    assert api.key is not None
    assert (await browser.sign_in(api.key, shown[0])).headers["Location"] == wanted


@pytest.mark.parametrize("accept", [None, "*/*", "application/json", "text/*", "text/html;q=0"])
async def test_all_others_get_401(api: Api, accept: str | None) -> None:
    headers = {} if accept is None else {"Accept": accept}
    answer = await api.get(LIST, key=None, headers=headers)
    assert answer.status in {401, 406}


async def test_the_cookie(api: Api) -> None:
    assert api.key is not None
    answer = await Browser(api).sign_in(api.key, LIST)
    given = cookie(answer)
    assert given is not None
    assert given["httponly"] is True
    assert given["samesite"] == "Strict"
    assert given["path"] == "/"
    assert given["max-age"] == str(12 * 60 * 60)
    assert given["domain"] == ""
    assert not given["secure"], "PUBLIC_URL is http:// on a loopback host"
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("url", "secure"),
    [
        ("http://127.0.0.1:8080", False),
        ("http://127.9.9.9", False),
        ("http://localhost:8080", False),
        ("http://[::1]:8080", False),
        ("https://127.0.0.1", True),
        ("https://ledgerpost.example", True),
        ("http://ledgerpost.example", True),
        ("http://10.0.0.1", True),
        ("http://localhost.evil.example", True),
    ],
)
async def test_the_cookie_is_secure_unless_the_url_is_of_this_host(
    golden: str, url: str, *, secure: bool
) -> None:
    settings = ApiSettings(database_url=acting(golden, "api"), public_url=url)
    key = await new_key(golden)
    async with serving(settings) as api:
        browser = Browser(api)
        given = [cookie(await browser.sign_in(key)), cookie(await browser.ask("POST", "/sign-out"))]
    assert [bool(each and each["secure"]) for each in given] == [secure, secure]


async def test_every_wrong_key_is_refused_in_the_same_words(golden: str, api: Api) -> None:
    browser = Browser(api)
    narrow = await new_key(golden, 1, *(each for each in SCOPES if each != "reports:read"))
    unknown = Key.generate().text
    wrong = ("", "x", unknown, unknown[:-1] + "0", narrow, "ledgerpost_" + "0" * 46)
    answers = [await browser.sign_in(each, LIST) for each in wrong]
    assert {(each.status, each.text) for each in answers} == {(403, answers[0].text)}
    assert all("Set-Cookie" not in each.headers for each in answers)
    assert 'role="alert"' in answers[0].text
    assert unknown not in answers[2].text


async def test_spaces_around_a_pasted_key_do_no_harm(api: Api) -> None:
    assert (await Browser(api).sign_in(f"  {api.key}\r\n")).status == 303


async def test_a_wrong_key_is_not_looked_up_for_ever(api: Api) -> None:
    key = Key.generate().text
    statuses = [(await Browser(api).sign_in(key)).status for _ in range(62)]
    assert statuses == [403] * 60 + [429] * 2


ORIGINS = {
    "foreign origin": {"Origin": "https://evil.example"},
    "no origin": {"Origin": "null"},
    "same name, other port": {"Origin": "http://127.0.0.1:1"},
    "cross-site": {"Sec-Fetch-Site": "cross-site"},
    "same-site": {"Sec-Fetch-Site": "same-site"},
    "foreign site with our origin": {"Sec-Fetch-Site": "cross-site", "Origin": "own"},
}


@pytest.mark.parametrize("headers", ORIGINS.values(), ids=ORIGINS.keys())
@pytest.mark.parametrize("path", ["/sign-in", "/sign-out"])
async def test_forms_of_other_sites_are_refused(
    api: Api, path: str, headers: dict[str, str]
) -> None:
    own = f"http://127.0.0.1:{api.port}"
    browser = Browser(api)
    assert api.key is not None
    await browser.sign_in(api.key)
    given = {name: value.replace("own", own) for name, value in headers.items()}
    answer = await browser.ask("POST", path, data={"key": api.key}, headers=given)
    assert answer.status == 403
    assert "Set-Cookie" not in answer.headers
    assert (await browser.get(LIST)).status == 200, "it is still signed in"


@pytest.mark.parametrize("site", ["same-origin", "none", None])
async def test_our_own_forms_are_accepted(golden: str, site: str | None) -> None:
    settings = ApiSettings(
        database_url=acting(golden, "api"), public_url="https://ledgerpost.example"
    )
    key = await new_key(golden)
    async with serving(settings) as api:
        for origin in ("https://ledgerpost.example", f"http://127.0.0.1:{api.port}", None):
            headers = {"Origin": origin, "Sec-Fetch-Site": site}
            given = {name: value for name, value in headers.items() if value is not None}
            assert (await Browser(api).sign_in(key, headers=given)).status == 303


async def test_the_key_stands_in_no_url_and_no_log(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    assert api.key is not None
    browser = Browser(api)
    answer = await browser.sign_in(api.key, LIST)
    await browser.get(LIST)
    await browser.get("/sign-in", params={"next": LIST})
    wrong = Key.generate().text
    refused = await browser.sign_in(wrong)
    assert browser.session is not None
    seen = f"{caplog.text} {answer.headers['Location']} {answer.text} {refused.text}"
    for secret in (api.key, wrong, browser.session):
        assert secret not in seen
    assert api.key not in (await browser.get(f"/sign-in?key={api.key}")).text


async def test_a_key_in_the_query_signs_nobody_in(api: Api) -> None:
    answer = await Browser(api).ask("POST", f"/sign-in?key={api.key}")
    assert answer.status == 422
    assert answer.fields == ["key"]
