from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from shared.mail.unsubscribe import Links
from shared.process.settings import ApiSettings
from tests.roles import acting
from tests.services.api.api_client import Api, serving
from tests.services.api.ledgers import new_key

SECRET = "a secret of more than thirty-two characters"
LINKS = Links(SECRET, "https://ledgerpost.example/")
CLICK = {"List-Unsubscribe": "One-Click"}
Logged = Callable[[], list[dict[str, Any]]]


@pytest.fixture
async def api(golden: str) -> AsyncIterator[Api]:
    settings = ApiSettings(database_url=acting(golden, "api"), unsubscribe_secret=SECRET)
    async with serving(settings) as api:
        api.key = await new_key(golden)
        yield api


async def mailed(api: Api, golden: str) -> UUID:
    """Ask for a send and return the delivery to its one recipient."""
    path = "/api/v3/clients/4/transactions/send?from=2024-11-01&to=2024-11-30"
    assert (await api.post(path)).status == 202
    conn = await asyncpg.connect(golden)
    delivery: UUID = await conn.fetchval("SELECT id FROM deliveries ORDER BY created_at DESC")
    await conn.close()
    return delivery


def path(delivery: UUID) -> str:
    return LINKS.url(delivery).removeprefix("https://ledgerpost.example")


async def listed(api: Api) -> list[tuple[str, str]]:
    answer = await api.get("/api/v3/suppressions")
    return [(each["email"], each["reason_code"]) for each in answer.json["data"]]


async def test_one_click_refuses_further_mail_as_often_as_it_is_clicked(
    api: Api, golden: str
) -> None:
    link = path(await mailed(api, golden))
    for _ in range(2):
        answer = await api.post(link, data=CLICK, key=None)
        assert answer.status == 200
        assert "Kente &amp; Co will send no more statements to esi@customers.example.com." in (
            answer.text
        )
    assert await listed(api) == [("esi@customers.example.com", "suppressed_unsubscribed")]


async def test_the_page_asks_and_changes_nothing(api: Api, golden: str) -> None:
    link = path(await mailed(api, golden))
    for method in ("GET", "HEAD"):
        answer = await api.ask(method, link, key=None)
        assert answer.status == 200
    answer = await api.get(link, key=None)
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert '<form method="post">' in answer.text
    assert 'name="List-Unsubscribe" value="One-Click"' in answer.text
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"
    assert await listed(api) == []


@pytest.mark.parametrize("body", [{}, {"List-Unsubscribe": "no"}, {"x": "One-Click"}])
async def test_a_post_that_does_not_say_so_is_no_click(
    api: Api, golden: str, body: dict[str, str]
) -> None:
    answer = await api.post(path(await mailed(api, golden)), data=body, key=None)
    assert answer.fields == ["List-Unsubscribe"]
    assert await listed(api) == []


async def test_a_link_of_anybody_else_is_no_link(api: Api, golden: str) -> None:
    delivery = await mailed(api, golden)
    genuine = path(delivery)
    forged = Links("another secret of thirty-two characters", "https://h").url(delivery)
    wrong = [
        "/unsubscribe/" + forged.rpartition("/")[2],
        genuine[:-2] + ("AA" if genuine[-2:] != "AA" else "BA"),
        genuine[:-4],
        genuine + "AAAA",
        f"/unsubscribe/{delivery}",
        f"/unsubscribe/{delivery.hex}",
        "/unsubscribe/%00",
        "/unsubscribe/é",
    ]
    for link in wrong:
        assert (await api.get(link, key=None)).status == 404, link
        assert (await api.post(link, data=CLICK, key=None)).status == 404, link
    # Of a mail that is kept no more.
    assert (await api.post(path(uuid4()), data=CLICK, key=None)).status == 404
    assert await listed(api) == []


async def test_a_link_of_the_old_secret_works_until_that_is_taken_away(golden: str) -> None:
    new = "a newer secret of more than thirty-two characters"
    given = {"database_url": acting(golden, "api"), "unsubscribe_secret": new}
    async with serving(ApiSettings(**given)) as api:
        api.key = await new_key(golden)
        delivery = await mailed(api, golden)
        assert (await api.post(path(delivery), data=CLICK, key=None)).status == 404
    async with serving(ApiSettings(**given, unsubscribe_secret_old=SECRET)) as api:
        for signed_by in (LINKS, Links(new, "")):
            link = "/unsubscribe/" + signed_by.url(delivery).rpartition("/")[2]
            assert (await api.get(link, key=None)).status == 200
        third = Links("a third secret of more than thirty-two characters", "").url(delivery)
        assert (await api.get("/unsubscribe/" + third.rpartition("/")[2], key=None)).status == 404
        assert (await api.post(path(delivery), data=CLICK, key=None)).status == 200


async def test_without_a_secret_there_are_no_links(golden: str) -> None:
    async with serving(ApiSettings(database_url=acting(golden, "api"))) as api:
        api.key = await new_key(golden)
        link = path(await mailed(api, golden))
        assert (await api.post(link, data=CLICK, key=None)).status == 404
        assert await listed(api) == []


async def test_the_names_shown_cannot_break_out_of_the_page(api: Api, golden: str) -> None:
    link = path(await mailed(api, golden))
    conn = await asyncpg.connect(golden)
    await conn.execute("UPDATE businesses SET name = '<script>{sentence}\"&'")
    await conn.close()
    text = (await api.get(link, key=None)).text
    assert "<script>" not in text
    assert "&lt;script&gt;{sentence}&quot;&amp;" in text


async def test_no_link_stands_in_the_log(api: Api, golden: str, logged: Logged) -> None:
    link = path(await mailed(api, golden))
    await api.get(link, key=None)
    (line,) = [each for each in logged() if each.get("route") == "/unsubscribe/{token}"]
    assert line["path"] == "/unsubscribe/{token}"
    assert link.rpartition("/")[2] not in str(logged())


def test_a_new_link_is_signed_by_the_new_secret() -> None:
    delivery, new = uuid4(), Links("a newer secret of more than thirty-two characters", "")
    changed = Links("a newer secret of more than thirty-two characters", "", old=SECRET)
    assert changed.url(delivery) == new.url(delivery)


def test_a_link_stays_the_same_and_is_short() -> None:
    delivery = uuid4()
    assert LINKS.url(delivery) == LINKS.url(delivery)
    token = LINKS.url(delivery).rpartition("/")[2]
    assert LINKS.delivery(token) == delivery
    assert len(token) == 43
