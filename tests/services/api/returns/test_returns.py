"""Returned mails are posted: what is stored, what changes, and what is refused."""

from collections.abc import Callable
from uuid import uuid4

import pytest

from services.api.access import daily_counts
from shared.mail.return_path import ReturnPaths
from tests.services.api.api_client import Api
from tests.services.api.ledgers import new_key
from tests.services.api.returns.conftest import Post
from tests.services.api.returns.posts import AWAY, COMPLAINT, DELAY, FULL, GONE, PATH

FIELDS = {
    *("id", "received_at", "delivery_id", "kind", "scope", "permanent", "status", "diagnostic"),
    *("remote_mta", "form", "effect"),
}


async def test_a_posted_bounce_changes_its_delivery(post: Post) -> None:
    delivery = await post.handed_over()
    answer = await post.add(GONE, post.paths.address(delivery))
    assert answer.status == 201, answer.text
    made = answer.json
    assert made.keys() == FIELDS
    assert (made["delivery_id"], made["kind"], made["scope"]) == (
        str(delivery), "bounce", "recipient",
    )  # fmt: skip
    assert (made["permanent"], made["status"]) == (True, "5.1.1")
    assert (made["diagnostic"], made["remote_mta"]) == (
        "550 5.1.1 user unknown", "mx2.client.example",
    )  # fmt: skip
    assert made["effect"] == ["bounced", "suppressed"]
    assert answer.headers["Location"] == f"{PATH}/{made['id']}"
    assert await post.state(delivery) == "bounced"
    listed = (await post.api.get("/api/v3/suppressions")).json["data"]
    assert [(each["email"], each["reason_code"]) for each in listed] == [
        ("ana@client.example", "suppressed_bounced")
    ]


async def test_a_posted_mail_is_counted_and_a_copy_is_not(post: Post) -> None:
    path = post.paths.address(await post.handed_over())
    for raw, recipient in ((FULL, path), (FULL, path), (AWAY, path), (GONE, None)):
        assert (await post.add(raw, recipient)).status in {200, 201}
    lines = (await post.api.get("/metrics", key=None)).text.split("\n")
    counted = {line for line in lines if line.startswith("ledgerpost_returns_total")}
    assert {each for each in counted if not each.endswith(" 0.0")} == {
        'ledgerpost_returns_total{kind="bounce",scope="recipient"} 1.0',
        'ledgerpost_returns_total{kind="auto-reply",scope="none"} 1.0',
        'ledgerpost_returns_total{kind="unmatched",scope="none"} 1.0',
    }
    assert len(counted) == 9  # each is there before its first one


@pytest.mark.parametrize(
    ("raw", "state", "effect"),
    [
        (FULL, "bounced", ["bounced"]),
        (COMPLAINT, "complained", ["complained", "suppressed"]),
        (DELAY, "sent", []),
        (AWAY, "sent", []),
        (b"\0\xff no mail \r at all \0", "sent", []),
    ],
)
async def test_each_kind_changes_what_it_may(
    post: Post, raw: bytes, state: str, effect: list[str]
) -> None:
    delivery = await post.handed_over()
    answer = await post.add(raw, post.paths.address(delivery))
    assert (answer.status, answer.json["effect"]) == (201, effect)
    assert await post.state(delivery) == state


async def test_a_copy_is_answered_with_the_first(post: Post) -> None:
    address = post.paths.address(await post.handed_over())
    first = await post.add(GONE, address)
    copy = await post.add(b"Received: by a relay\n" + GONE.replace(b"\n", b"\r\n"), address)
    assert (copy.status, copy.json) == (200, first.json)
    nobodys = await post.add(AWAY)
    assert nobodys.status == 201
    assert (await post.add(AWAY)).json == nobodys.json


async def test_what_matches_nothing_is_stored_and_shown_to_its_poster(
    post: Post, golden: str
) -> None:
    forger = ReturnPaths("another secret, as long as the first", "bounces.example")
    delivery = await post.handed_over()
    for recipient in (None, "box@bounces.example", forger.address(delivery)):
        answer = await post.add(GONE, recipient)
        assert answer.status == 201
        assert (answer.json["delivery_id"], answer.json["effect"]) == (None, [])
        shown = await post.api.get(f"{PATH}/{answer.json['id']}")
        assert shown.json["why"].endswith("It changed nothing: it matches no delivery.")
        other = await new_key(golden, 2)
        assert (await post.api.get(f"{PATH}/{answer.json['id']}", key=other)).status == 404
    assert await post.state(delivery) == "sent"


async def test_another_businesss_delivery_is_not_found(post: Post) -> None:
    theirs = await post.handed_over(business=2)
    refused = await post.add(GONE, post.paths.address(theirs))
    assert refused.status == 404
    assert await post.state(theirs) == "sent"
    assert not await post.db.fetchval("SELECT count(*) FROM returns")
    gone = await post.add(GONE, post.paths.address(uuid4()))
    assert (gone.status, gone.json["delivery_id"]) == (201, None)


@pytest.mark.parametrize(
    "header",
    [
        lambda mine, other: f"Delivered-To: {mine}\nTo: {other}\n",
        lambda mine, other: f"To: {other}\nX-Original-To: {mine}\n",
        lambda mine, other: f"To: {other}\nEnvelope-To: <{mine}>\n",
        lambda mine, _: f'To: "a, b" <a@x.example>,\n\tBounces <{mine.upper()}>\n',
        lambda mine, _: "Delivered-To: " + "x" * 60 + f"\nDelivered-To: a@x.example\nTo: {mine}\n",
        lambda mine, _: f"Delivered-To: {mine[:-20]}aaaa@bounces.example\nTo: {mine}\n",
    ],
)
async def test_the_recipient_is_found_in_the_header(
    post: Post, header: Callable[[str, str], str]
) -> None:
    mine, other = await post.handed_over(), await post.handed_over()
    fields = header(post.paths.address(mine), post.paths.address(other))
    answer = await post.add(fields.encode() + GONE)
    assert answer.json["delivery_id"] == str(mine)


async def test_an_address_in_the_text_of_the_mail_means_nothing(post: Post) -> None:
    address = post.paths.address(await post.handed_over())
    raw = f"Subject: x\nReply-To: {address}\n\nTo: {address}\n".encode()
    assert (await post.add(raw)).json["delivery_id"] is None


async def test_a_mail_that_is_being_handed_over_is_returned_later(post: Post) -> None:
    address = post.paths.address(await post.handed_over("committing"))
    refused = await post.add(GONE, address)
    assert (refused.status, refused.headers["Retry-After"]) == (503, "10")
    assert not await post.db.fetchval("SELECT count(*) FROM returns")
    await post.db.execute("UPDATE deliveries SET state = 'sent', sent_at = now()")
    assert (await post.add(GONE, address)).status == 201


@pytest.mark.parametrize("recipient", ["", "a b@x.example", "a\n@x", "a\0@x", "x" * 321])
async def test_a_recipient_that_is_none_is_refused(post: Post, recipient: str) -> None:
    assert (await post.add(GONE, recipient)).fields == ["recipient"]


async def test_bodies_that_are_no_mail_or_too_large_are_refused(post: Post) -> None:
    assert (await post.api.post(PATH, json={"raw": "x"})).status == 415
    assert (await post.add(b"")).status == 400
    most = 2 * 1024 * 1024
    large = await post.add(b"Subject: x\n\n".ljust(most, b"x"))
    assert large.status == 201
    assert (await post.add(b"x" * (most + 1))).status == 413


async def test_a_key_needs_the_scope(post: Post, golden: str) -> None:
    lesser = await new_key(golden, 1, "reports:read", "transactions:send", "branding:write")
    assert (await post.add(GONE, key=lesser)).status == 403
    poster = await new_key(golden, 1, "returns:write")
    assert (await post.add(GONE, key=poster)).status == 201
    assert (await post.api.get(PATH, key=poster)).status == 403


async def test_the_mails_of_a_day_are_bounded(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(daily_counts.MOST, "returned mails", 2)
    delivery = await post.handed_over()
    address = post.paths.address(delivery)
    for raw in (DELAY, AWAY, AWAY):
        assert (await post.add(raw, address)).status in {200, 201}
    refused = await post.add(GONE, address)
    assert refused.status == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 86_400
    assert await post.state(delivery) == "sent"
    assert await post.db.fetchval("SELECT count(*) FROM returned_mails") == 2
    assert (await post.add(DELAY, address)).status == 200


async def test_the_bytes_of_a_day_are_bounded(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(daily_counts.MOST, "bytes of returned mails", len(GONE) + len(AWAY))
    address = post.paths.address(await post.handed_over())
    for raw in (GONE, GONE, AWAY):  # a copy takes no room
        assert (await post.add(raw, address)).status in {200, 201}
    refused = await post.add(b"Subject: x\n\nx\n", address)
    assert (refused.status, "bytes" in refused.json["detail"]) == (429, True)
    assert await post.db.fetchval("SELECT count(*) FROM returned_mails") == 2
    await post.db.execute("UPDATE daily_counts SET day = day - 1")
    assert (await post.add(DELAY, address)).status == 201


async def test_a_server_without_a_secret_takes_nothing_in(api: Api) -> None:
    headers = {"Content-Type": "message/rfc822"}
    refused = await api.post(PATH, data=GONE, headers=headers)
    assert (refused.status, "RETURN_SECRET" in refused.json["detail"]) == (404, True)
    assert (await api.get(PATH)).json == {"data": [], "next_cursor": None}
