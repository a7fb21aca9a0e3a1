"""A session counts where the contract says, and ends when it should."""

import hashlib

import asyncpg
import pytest

from services.api.access import sessions
from services.api.access.model import Key
from shared.process.settings import ApiSettings
from tests.roles import acting
from tests.services.api.api_client import NOVEMBER, REPORTS, Api, serving
from tests.services.api.ledgers import new_key
from tests.services.api.sign_in.browser import Browser

LIST, ONE = f"{REPORTS}/{NOVEMBER}", f"{REPORTS}/client/4/{NOVEMBER}"


@pytest.fixture
async def browser(api: Api) -> Browser:
    """A browser that is signed in by the key of `api`."""
    browser = Browser(api)
    assert api.key is not None
    assert (await browser.sign_in(api.key)).status == 303
    return browser


async def _execute(dsn: str, statement: str, *given: object) -> None:
    conn = await asyncpg.connect(dsn)
    await conn.execute(statement, *given)
    await conn.close()


async def test_a_session_opens_pages_and_downloads_by_get_and_head(browser: Browser) -> None:
    for path in (LIST, ONE):
        for method in ("GET", "HEAD"):
            assert (await browser.ask(method, path)).status == 200, (method, path)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", ONE),
        ("GET", "/api/v3/sends"),
        ("GET", "/api/v3/suppressions"),
        ("POST", "/api/v3/suppressions"),
        ("POST", f"/api/v3/clients/4/transactions/send?from={NOVEMBER.replace('/', '&to=')}"),
        ("GET", "/api/v3/deliveries/in-doubt"),
    ],
)
async def test_a_session_counts_nowhere_else(browser: Browser, method: str, path: str) -> None:
    assert (await browser.ask(method, path)).status == 401


async def test_a_session_does_not_count_beside_a_key(browser: Browser) -> None:
    for given in ("Bearer x", "Basic x", ""):
        answer = await browser.get(LIST, headers={"Authorization": given})
        assert answer.status == 401
        assert answer.json["type"] == "/problems/unauthenticated"


async def test_the_hash_of_a_session_is_stored_and_opens_nothing(
    golden: str, browser: Browser
) -> None:
    assert browser.session is not None
    conn = await asyncpg.connect(golden)
    row = await conn.fetchrow("SELECT *, expires_at - created_at AS lasts FROM sessions")
    await conn.close()
    assert row is not None
    assert row["lasts"] == sessions.LIFETIME
    assert row["sha256"] == hashlib.sha256(browser.session.encode()).digest()
    assert browser.session not in str(dict(row))
    for stolen in (row["sha256"].hex(), row["sha256"].hex()[:43], str(row["key_id"])):
        assert (await Browser(browser.api, stolen).get(ONE)).status == 303


async def test_a_session_ends_after_its_time(golden: str, browser: Browser) -> None:
    await _execute(
        golden,
        "UPDATE sessions SET created_at = now() - interval '12 h 1 s',"
        " expires_at = now() - interval '1 s'",
    )
    answer = await browser.get(ONE)
    assert (answer.status, answer.headers["Location"]) == (303, f"/sign-in?next={ONE}")
    assert (await browser.get(ONE, headers={"Accept": "*/*"})).status == 401


@pytest.mark.parametrize(
    "change", ["revoked_at = now()", "expires_at = now() - interval '1 s'"], ids=["revoke", "end"]
)
async def test_a_session_ends_with_its_key(golden: str, browser: Browser, change: str) -> None:
    assert (await browser.get(ONE)).status == 200
    await _execute(golden, f"UPDATE api_keys SET {change}")
    assert (await browser.get(ONE)).status == 303


async def test_a_session_ends_by_signing_out_and_others_go_on(browser: Browser) -> None:
    other = Browser(browser.api)
    assert browser.api.key is not None
    await other.sign_in(browser.api.key)
    answer = await browser.ask("POST", "/sign-out")
    assert (answer.status, answer.headers["Location"]) == (303, "/sign-in")
    assert 'ledgerpost_session=""' in answer.headers["Set-Cookie"]
    assert (await browser.get(ONE)).status == 303
    assert (await other.get(ONE)).status == 200
    assert (await browser.ask("POST", "/sign-out")).status == 303


async def test_a_session_needs_the_scope_of_its_page(golden: str, browser: Browser) -> None:
    await _execute(golden, "UPDATE api_keys SET scopes = '{transactions:send}'")
    assert (await browser.get(ONE)).status == 403


async def test_pages_count_against_the_rate_of_the_key(golden: str) -> None:
    settings = ApiSettings(database_url=acting(golden, "api"), rate_limit=20)
    key = await new_key(golden)
    async with serving(settings) as api:
        browser = Browser(api)
        assert (await browser.sign_in(key)).status == 303
        statuses = [(await browser.get(ONE)).status for _ in range(20)]
        assert statuses == [200] * 19 + [429]
        assert (await api.get(ONE, key=key)).status == 429
        assert (await Browser(api).sign_in(key)).status == 429


async def test_a_guessed_session_is_not_looked_up_for_ever(api: Api) -> None:
    browser = Browser(api, sessions.Token.generate().text)
    options = {"headers": {"Accept": "application/json"}}
    statuses = [(await browser.get(ONE, **options)).status for _ in range(62)]
    assert statuses == [401] * 60 + [429] * 2


async def test_of_one_key_only_the_newest_sessions_go_on(
    golden: str, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "MOST", 3)
    assert api.key is not None
    browsers = [Browser(api) for _ in range(5)]
    for each in browsers:
        await each.sign_in(api.key)
    assert [(await each.get(ONE)).status for each in browsers] == [303, 303, 200, 200, 200]


async def test_a_session_shows_the_business_of_its_key_only(golden: str, api: Api) -> None:
    other = Browser(api)
    await other.sign_in(await new_key(golden, 2))
    own, foreign = await api.get(ONE), await other.get(ONE, headers={"Accept": "application/json"})
    assert (own.json["business_id"], foreign.json["business_id"]) == (1, 2)


def test_a_token_is_random_and_not_shown_by_accident() -> None:
    tokens = {sessions.Token.generate().text for _ in range(100)}
    assert len(tokens) == 100
    token = sessions.Token.generate()
    assert sessions.Token.parse(token.text) == token
    assert token.text not in repr(token)
    for wrong in ("", token.text[:-1], f"{token.text}A", f"{token.text[:-1]} ", "ä" * 43):
        assert sessions.Token.parse(wrong) is None
    assert sessions.Token.parse(Key.generate().text) is None
