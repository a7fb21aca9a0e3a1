"""Returned mails are listed and shown, with the reason."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest

from services.api.returns.model import Return
from services.api.returns.why import why
from tests.services.api.ledgers import new_key
from tests.services.api.returns.conftest import Post
from tests.services.api.returns.posts import AWAY, COMPLAINT, DELAY, FULL, GONE, PATH


async def kinds(post: Post, **filters: Any) -> list[str]:
    answer = await post.api.get(f"{PATH}?{urlencode(filters)}")
    assert answer.status == 200, answer.text
    return [each["kind"] for each in answer.json["data"]]


async def test_the_newest_come_first_and_filters_choose(post: Post) -> None:
    first, second = await post.handed_over(), await post.handed_over()
    for raw in (GONE, AWAY):
        await post.add(raw, post.paths.address(first))
    for raw in (DELAY, COMPLAINT):
        await post.add(raw, post.paths.address(second))
    await post.add(b"Subject: hello\n\nHello!\n")
    assert await kinds(post) == ["unknown", "complaint", "delay", "auto-reply", "bounce"]
    assert await kinds(post, delivery_id=first) == ["auto-reply", "bounce"]
    assert await kinds(post, kind="delay") == ["delay"]
    assert await kinds(post, scope="recipient") == ["bounce"]
    assert await kinds(post, unmatched=1) == ["unknown"]
    assert await kinds(post, unmatched=0, kind="unknown") == []
    assert await kinds(post, received_to="2020-01-01") == []
    assert len(await kinds(post, received_from="2020-01-01", received_to="2999-01-01")) == 5


async def test_pages_follow_each_other(post: Post) -> None:
    address = post.paths.address(await post.handed_over())
    for number in range(5):
        await post.add(b"Subject: x\n\n%d" % number, address)
    seen: list[str] = []
    cursor = ""
    while True:
        page = (await post.api.get(f"{PATH}?limit=2{cursor}")).json
        seen += [each["id"] for each in page["data"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert len(seen) == len(set(seen)) == 5


async def test_another_business_sees_none(post: Post, golden: str) -> None:
    made = (await post.add(GONE, post.paths.address(await post.handed_over()))).json
    other = await new_key(golden, 2)
    assert (await post.api.get(PATH, key=other)).json["data"] == []
    assert (await post.api.get(f"{PATH}/{made['id']}", key=other)).status == 404


@pytest.mark.parametrize(
    ("filters", "field"),
    [
        ({"kind": "spam"}, "kind"),
        ({"scope": "world"}, "scope"),
        ({"delivery_id": "x"}, "delivery_id"),
        ({"unmatched": "maybe"}, "unmatched"),
        ({"received_from": "yesterday"}, "received_from"),
        ({"received_from": "2024-02-01", "received_to": "2024-01-01"}, "received_from"),
        ({"cursor": "x"}, "cursor"),
        ({"limit": "0"}, "limit"),
        ({"recipient": "a@x.example"}, "recipient"),
    ],
)
async def test_what_no_filter_takes_is_refused(
    post: Post, filters: Mapping[str, str], field: str
) -> None:
    assert (await post.api.get(f"{PATH}?{urlencode(filters)}")).fields == [field]


@pytest.mark.parametrize("name", ["018f0000-0000-7000-8000-00000000000a", "x", "%00"])
async def test_an_unknown_id_is_not_found(post: Post, name: str) -> None:
    assert (await post.api.get(f"{PATH}/{name}")).status == 404


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (GONE, ("A delivery status notification (RFC 3464) says that a server gave up: status"
               " 5.1.1, which is about the recipient, and will fail again."
               " It changed: the delivery is bounced, its address is suppressed.")),
        (FULL, "status 5.2.2, which is about the recipient. It changed: the delivery is bounced."),
        (DELAY, ("goes on trying: status 4.4.1, which is about attempts that go on. It changed"
                " nothing: mails of this kind never do.")),
        (COMPLAINT, "(RFC 5965)"),
        (AWAY, "(RFC 3834)"),
        (b"Subject: hello\n\nHello!\n", "No rule fits"),
    ],
)  # fmt: skip
async def test_each_says_why(post: Post, raw: bytes, words: str) -> None:
    made = (await post.add(raw, post.paths.address(await post.handed_over()))).json
    shown = (await post.api.get(f"{PATH}/{made['id']}")).json
    assert (await post.api.get(PATH)).json["data"] == [shown]
    assert words in shown.pop("why")
    assert shown == made


def test_a_second_bounce_says_that_the_first_did_it() -> None:
    second = Return(
        id=uuid4(), received_at="2026-01-05T09:00:00Z", delivery_id=uuid4(), kind="bounce",
        scope="policy", permanent=False, status=None, diagnostic=None, remote_mta=None,
        form="notice", effect=(),
    )  # fmt: skip
    assert why(second) == (
        "A mail server's notice in its own words says that a server gave up: its words, without a"
        " status, which is about the sender or the text, not about the recipient. It"
        " changed nothing: the mail was not handed over, or an earlier"
        " return did it."
    )
