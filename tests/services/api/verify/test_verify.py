"""Whoever has a statement on paper can compare it with the real one, and learns nothing else."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import asyncpg
import pytest

from services.api.statements.store import freeze
from services.api.verify import handlers
from shared.deliveries.relay import Unfrozen
from tests.services.api.api_client import Answer, Api
from tests.services.api.sends import stored

Logged = Callable[[], list[dict[str, Any]]]
PAGE = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
CLOSING = "300.1"
SINCE_2 = {"kind", "locale", "branding", "open_items", "aging"}


@dataclass
class Paper:
    """The statement of customer 4 for November, and the API."""

    api: Api
    db: asyncpg.Connection
    hash: str = ""

    async def ask(self, closing: str | None = CLOSING, name: str = "", **options: Any) -> Answer:
        params = {} if closing is None else {"closing": closing}
        path = f"/verify/{name or self.hash}"
        return await self.api.get(path, key=None, params=params, **options)

    async def freeze(self) -> None:
        send = await stored.send(self.db)
        await freeze(self.db, Unfrozen(send, 1, 4, stored.PERIOD))
        self.hash = await self.db.fetchval(
            "SELECT encode(statement_sha256, 'hex') FROM sends WHERE id = $1", send
        )

    async def content(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(
            await self.db.fetchval("SELECT content FROM statements"), parse_float=Decimal
        )
        return found

    async def store(self, **changed: Any) -> None:
        """Store another statement, which differs from the frozen one in this."""
        content = json.dumps(await self.content() | changed, default=float)
        self.hash = await self.db.fetchval(
            """INSERT INTO statements (business_id, sha256, content)
               VALUES (1, sha256(convert_to($1, 'UTF8')), $1) RETURNING encode(sha256, 'hex')""",
            content,
        )


@pytest.fixture
async def paper(api: Api, golden: str) -> AsyncIterator[Paper]:
    conn = await asyncpg.connect(golden)
    paper = Paper(api, conn)
    await paper.freeze()
    yield paper
    await conn.close()


BRANDING = {
    "how_to_pay": "Example Bank\n0123 456",
    "pay_link": "https://pay.example/{customer_id}?a={amount}&c={currency}&r={reference}",
}


async def test_it_says_what_was_frozen(paper: Paper) -> None:
    await paper.store(branding=BRANDING, version=2)
    answer = await paper.ask()
    assert answer.status == 200, answer.text
    frozen = await paper.content()
    assert answer.json == {
        "sha256": paper.hash,
        "business": "Kente & Co",
        "currency": "GHS",
        "locale": "en",
        "from": "2024-11-01",
        "to": "2024-11-30",
        "generated_at": frozen["generated_at"].replace("Z", ".000000Z"),
        "closing_balance": Decimal(CLOSING),
        "how_to_pay": "Example Bank\n0123 456",
        "pay_link": "https://pay.example/4?a=300.10&c=GHS&r=4-2024-11-30",
    }
    await paper.db.execute("UPDATE businesses SET name = 'Another'")
    assert (await paper.ask()).json == answer.json


@pytest.mark.parametrize("closing", ["300.1", "300.10", "0300.1000"])
async def test_zeros_make_no_difference(paper: Paper, closing: str) -> None:
    assert (await paper.ask(closing)).status == 200


async def test_a_statement_of_the_first_version_names_no_way_to_pay(paper: Paper) -> None:
    frozen = await paper.content()
    bare = {name: value for name, value in frozen.items() if name not in SINCE_2} | {"version": 1}
    await paper.db.execute("UPDATE statements SET content = $1", json.dumps(bare, default=float))
    said = (await paper.ask()).json
    assert said["how_to_pay"] is said["pay_link"] is None


@pytest.mark.parametrize(("closing", "shown"), [("0", False), ("-5", False), ("5", True)])
async def test_there_is_a_link_only_if_something_is_owed(
    paper: Paper, closing: str, *, shown: bool
) -> None:
    await paper.store(branding=BRANDING, closing_balance=int(closing))
    assert bool((await paper.ask(closing)).json["pay_link"]) is shown


async def test_what_is_wrong_unknown_erased_or_pruned_cannot_be_told_apart(
    paper: Paper, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    rest = handlers.rest_until

    async def noted(moment: float) -> None:
        slept.append(moment)
        await rest(moment)

    monkeypatch.setattr(handlers, "rest_until", noted)
    told = []
    for name, closing in (
        (paper.hash, "300.11"),
        (paper.hash, "-300.1"),
        ("0" * 64, CLOSING),
        ("no hash", CLOSING),
    ):
        told.append(await paper.ask(closing, name))
    # As erasure leaves it: services/api/erasure/queries.sql.
    await paper.db.execute("UPDATE statements SET content = '{}'")
    told.append(await paper.ask())
    await paper.db.execute("UPDATE sends SET statement_sha256 = NULL")
    await paper.db.execute("DELETE FROM statements")
    told.append(await paper.ask())
    bodies = [
        {name: each.json[name] for name in each.json if name not in {"instance", "request_id"}}
        for each in told
    ]
    assert all(each.status == 404 for each in told)
    assert "unknown here, or too old" in bodies[0]["detail"]
    assert bodies == [bodies[0]] * len(bodies)
    assert len(slept) == len(told)
    pages = [await paper.ask(CLOSING, name, headers=PAGE) for name in (paper.hash, "0" * 64)]
    assert [each.status for each in pages] == [404, 404]
    assert pages[0].text.replace(paper.hash, "0" * 64) == pages[1].text
    assert "unknown here, or too old" in pages[0].text


@pytest.mark.parametrize("closing", [None, "", "1,234.50", "x", "NaN", "1e5"])
async def test_a_machine_writes_a_decimal(paper: Paper, closing: str | None) -> None:
    for name in (paper.hash, "0" * 64):
        assert (await paper.ask(closing, name)).fields == ["closing"]


async def test_balances_cannot_be_tried_until_one_fits(paper: Paper) -> None:
    tried = await asyncio.gather(*(paper.ask(str(number)) for number in range(70)))
    assert Counter(each.status for each in tried) == {404: 60, 429: 10}
    for headers in ({}, PAGE):
        refused = await paper.ask(headers=headers)
        assert refused.status == 429
    assert (await paper.ask(name="1" * 64)).status == 404


async def test_a_statement_cannot_be_read_without_end(paper: Paper) -> None:
    read = await asyncio.gather(*(paper.ask() for _ in range(70)))
    assert Counter(each.status for each in read) == {200: 60, 429: 10}


async def test_the_page_shows_the_statement(paper: Paper) -> None:
    hostile = "<script>alert(1)</script> & Co"
    branding = BRANDING | {"how_to_pay": "<b>Bank</b>\nline two"}
    business = (await paper.content())["business"] | {"name": hostile}
    await paper.store(branding=branding, business=business)
    groups = " ".join(paper.hash[place : place + 4] for place in range(0, 64, 4))
    form = {"sha256": groups, "closing": "GHS 300.10"}
    for answer in (
        await paper.ask("300,10", headers=PAGE),
        await paper.api.get("/verify", key=None, params=form),
    ):
        assert answer.status == 200, answer.text
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        for words in (
            *("GHS\N{NO-BREAK SPACE}300.10 owed", "1–30 November 2024"),
            *("&lt;b&gt;Bank&lt;/b&gt;\nline two", groups),
            "https://pay.example/4?a=300.10&amp;c=GHS&amp;r=4-2024-11-30",
            "&lt;script&gt;alert(1)&lt;/script&gt; &amp; Co",
        ):
            assert words in answer.text
        assert "<script>alert" not in answer.text


async def test_the_page_asks_for_what_is_missing(paper: Paper) -> None:
    asked = await paper.api.get("/verify", key=None)
    assert asked.status == 200
    assert '<form action="/verify">' in asked.text
    known = await paper.ask(None, headers=PAGE)
    assert known.status == 200
    assert f">{paper.hash}</textarea>" in known.text
    wrong = await paper.ask("1,2,3<", headers=PAGE)
    assert wrong.status == 422
    assert 'role="alert"' in wrong.text
    assert 'value="1,2,3&lt;"' in wrong.text
    assert (await paper.ask("1,2,3", "%00%FF", headers=PAGE)).status == 422


@pytest.mark.parametrize(
    ("locale", "direction", "words"),
    [
        ("fr", "ltr", ("Ce relevé a été établi ici.", "novembre 2024", "300,10")),
        ("de-CH", "ltr", ("Dieser Auszug wurde hier erstellt.", "November 2024")),
        ("ar", "rtl", ("صدر هذا الكشف من هنا.", "رمز التحقق")),
    ],
)
async def test_the_page_speaks_the_language_of_the_statement(
    paper: Paper, locale: str, direction: str, words: tuple[str, ...]
) -> None:
    await paper.store(locale=locale, branding=BRANDING)
    answer = await paper.ask(headers=PAGE | {"Accept-Language": "pt"})
    assert answer.status == 200
    assert f'<html lang="{locale}" dir="{direction}">' in answer.text
    assert answer.headers["Content-Language"] == locale
    for each in words:
        assert each in answer.text, each


async def test_the_form_speaks_the_language_of_the_browser(paper: Paper) -> None:
    await paper.store(locale="fr")
    spanish = PAGE | {"Accept-Language": "xx, es-MX;q=0.9, en;q=0.5"}
    asked = await paper.ask(None, headers=spanish)
    assert '<html lang="es" dir="ltr">' in asked.text
    assert "Accept-Language" in asked.headers["Vary"]
    # What is refused does not tell the language of the statement.
    for closing, said in (("5", "es desconocido aquí"), ("1,2,3", "por ejemplo 1.234,50")):
        refused = await paper.ask(closing, headers=spanish)
        assert '<html lang="es" dir="ltr">' in refused.text
        assert said in refused.text


async def test_nobody_keeps_or_passes_on_the_answer(paper: Paper, logged: Logged) -> None:
    for headers in ({}, PAGE):
        for closing in (CLOSING, "12.75"):
            for method in ("GET", "HEAD"):
                path = f"/verify/{paper.hash}?closing={closing}"
                answer = await paper.api.ask(method, path, key=None, headers=headers)
                assert answer.headers["Cache-Control"] == "no-store"
                if answer.status == 200 or headers:
                    assert "Accept" in answer.headers["Vary"]
                    assert answer.headers["Referrer-Policy"] == "no-referrer"
                    assert answer.headers["X-Robots-Tag"] == "noindex"
    page = await paper.ask(headers=PAGE)
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    said = str(logged())
    assert "/verify/{sha256}" in said
    for secret in (CLOSING, "12.75", paper.hash):
        assert secret not in said
