"""From a request over the queue to a mail."""

import asyncio
import json
from typing import Any

import pytest

from services.api.access import store as access
from shared.amqp import topology
from tests.journeys.conftest import System, sends
from tests.peer import Peer, peer, request


async def test_a_request_over_the_queue_is_answered_and_its_mail_goes_out(
    system: System, asker: Peer
) -> None:
    async with system.relay(), system.mailer():
        asked = request("1", message="Good morning", other_emails="a@x.example")
        await asker.ask(asked, correlation_id="c-1")
        reply = await asker.reply()
        [told] = await asker.events("send-request.accepted.1")
        assert told == reply
        shown = await system.settled(reply["data"]["id"])
        sent = await asker.events("delivery.sent.1", number=2)
    assert reply["type"] == "com.ledgerpost.send-request.accepted.v1"
    assert (reply["requestid"], reply["requestsource"]) == ("1", "/crm")
    assert reply["subject"] == reply["data"]["id"] == shown["id"]
    assert reply["data"]["message"] == "Transactions sent"
    assert [each["email"] for each in reply["data"]["recipients"]] == [
        "esi@customers.example.com",
        "a@x.example",
    ]
    assert asker.answered[0].correlation_id == "c-1"
    assert {each["data"]["send_id"] for each in sent} == {shown["id"]}
    assert shown["status"] == "sent"
    assert len(system.judge.accepted) == 2
    assert await asker.waiting(topology.SEND_REQUESTS) == 0


async def test_the_answer_is_the_one_of_the_post_and_both_share_their_idempotency_keys(
    system: System, asker: Peer
) -> None:
    async with system.http.post(
        "/api/v3/clients/4/transactions/send?from=2024-11-01&to=2024-11-30",
        json={"message": "once", "send_tome": "2030-01-31"},
        headers={"Idempotency-Key": "order-7"},
    ) as response:
        over_http = await response.json()
    async with system.relay():
        asked = request("2", message="once", send_at="2030-01-31") | {"idempotencykey": "order-7"}
        await asker.ask(asked)
        assert (await asker.reply())["data"] == over_http
        other = request("3", message="other") | {"idempotencykey": "order-7"}
        await asker.ask(other)
        refused = await asker.reply(2)
    assert refused["type"] == "com.ledgerpost.send-request.refused.v1"
    assert refused["data"]["status"] == 409
    assert "Idempotency-Key" in refused["data"]["detail"]
    assert await sends(system) == 1


async def test_one_event_any_number_of_times_is_one_send_and_one_answer(
    system: System, asker: Peer
) -> None:
    async with system.relay(), system.relay():
        await asyncio.gather(*(asker.ask(request("same")) for _ in range(30)))
        await asker.reply(30)
        replies = {each.body for each in asker.answered}
        await asker.ask(request("same", message="other"))
        refused = await asker.reply(31)
        assert refused["data"]["status"] == 409
        await asker.events("send-request.refused.1")
    assert len(replies) == 1
    assert await sends(system) == 1
    assert {each["id"] for each in await asker.events("send-request.accepted.1")} == {
        json.loads(replies.pop())["id"]
    }


async def test_a_copy_finds_the_answer_long_after_idempotency_keys_are_forgotten(
    system: System, asker: Peer
) -> None:
    async with system.relay():
        await asker.ask(request("late"))
        first = await asker.reply()
        await system.db.execute("DELETE FROM idempotency_keys")
        await system.db.execute("UPDATE sends SET created_at = created_at - interval '9 d'")
        await asker.ask(request("late"))
        assert await asker.reply(2) == first
    assert await sends(system) == 1


@pytest.mark.parametrize(
    "attributes",
    [
        dict.fromkeys(["datacontenttype", "time", "subject", "traceparent", "idempotencykey"]),
        {"time": "2024-11-30T09:00:00.123456+05:30", "dataschema": "https://crm.example/send"},
        {"comexampleretries": 7, "comexampleurgent": True, "sequence": "00012"},
    ],
)
async def test_attributes_that_are_null_or_not_known_do_no_harm(
    system: System, asker: Peer, attributes: dict[str, Any]
) -> None:
    async with system.relay():
        await asker.ask(request("attributes") | attributes)
        assert (await asker.reply())["type"] == "com.ledgerpost.send-request.accepted.v1"


REFUSED: list[tuple[Any, int, list[str]]] = [
    (request("r", other_emails=["a@x.example\r\nBcc: b@x.example"]), 422, ["other_emails"]),
    (request("r", message="a\0b"), 422, ["message"]),
    (request("r", send_tome="2024-02-30"), 422, ["send_tome"]),
    (request("r", **{"from": "2024-12-01"}), 422, ["from"]),
    (request("r", to="2024-11-31"), 422, ["to"]),
    (request("r", from_="2024-11-01"), 422, ["from_"]),
    (request("r", customer_id="4"), 422, ["customer_id"]),
    (request("r", customer_id=99), 404, []),
    (request("r", customer_id=2**63), 404, []),
    (request("r", copy_to_me=True, send_tome=False), 422, ["copy_to_me"]),
    (request("r") | {"specversion": "0.3"}, 422, ["specversion"]),
    (request("r") | {"type": "com.ledgerpost.send-request.v2"}, 422, ["type"]),
    (request("r") | {"id": ""}, 422, ["id"]),
    (request("r") | {"source": None}, 422, ["source"]),
    (request("r") | {"idempotencykey": "a key"}, 422, ["idempotencykey"]),
    (request("r") | {"data": None}, 422, ["data"]),
    ([], 422, ["body"]),
    (b"", 400, []),
    (b"{", 400, []),
    (b"\xff\xfe", 400, []),
    (b'"\\ud800"', 400, []),
    (b"[" * 100_000, 400, []),
    (b'{"a": "\0"}', 422, ["body"]),
    (b'{"data": "' + b"x" * (16 * 1024 * 1024 - 12) + b'"}', 400, []),
]


async def test_what_is_refused_is_answered_with_the_field_at_fault_and_buried_with_the_reason(
    system: System, asker: Peer
) -> None:
    async with system.relay():
        for number, (body, status, fields) in enumerate(REFUSED, start=1):
            await asker.ask(body)
            refused = await asker.reply(number)
            assert refused["type"] == "com.ledgerpost.send-request.refused.v1", body
            problem = refused["data"]
            found = [each["field"] for each in problem["errors"]]
            assert (problem["status"], found) == (status, fields), (body, problem)
        await asker.ask(request("neighbour"))
        accepted = await asker.reply(len(REFUSED) + 1)
        letters = await asker.dead(len(REFUSED))
        readable = [body for body, status, _ in REFUSED if status != 400]
        events = await asker.events("send-request.refused.1", number=len(readable))
    assert accepted["requestid"] == "neighbour"
    assert await sends(system) == 1
    assert len(events) == len(readable)
    assert {each["requestid"] for each in events} == {"r", "", None}
    reasons = [each.headers[topology.REASON] for each in letters]
    assert max(reasons).startswith("422 ")
    assert "422 other_emails: address 1 is malformed: contains a line break or NUL" in reasons
    assert {each.headers[topology.CAME_FROM] for each in letters} == {topology.SEND_REQUESTS}
    assert sorted(each.body for each in letters) == sorted(
        (body if isinstance(body, bytes) else json.dumps(body).encode())[: 64 * 1024]
        for body, *_ in REFUSED
    )


async def test_a_statement_that_is_too_long_is_refused_at_once(system: System, asker: Peer) -> None:
    await system.db.execute(
        "INSERT INTO invoices SELECT 100 + n, 1, 7, 'X' || n, 'invoice', 'issued', '2024-11-05',"
        " NULL, 1 FROM generate_series(1, 5001) n"
    )
    async with system.relay():
        await asker.ask(request("long", customer_id=7))
        refused = await asker.reply()
        await asker.ask(request("later", customer_id=7, send_at="2099-01-01"))
        accepted = await asker.reply(2)
    assert refused["type"] == "com.ledgerpost.send-request.refused.v1"
    problem = refused["data"]
    assert (problem["status"], [each["field"] for each in problem["errors"]]) == (422, ["period"])
    assert accepted["type"] == "com.ledgerpost.send-request.accepted.v1"
    assert await sends(system) == 1


@pytest.mark.parametrize(
    ("key", "status"),
    [(None, 401), ("ledgerpost_x", 401), ("revoked", 401), ("expired", 401), ("reader", 403)],
)
async def test_without_a_key_of_the_right_scope_nothing_is_sent(
    system: System, key: str | None, status: int, logged: Any
) -> None:
    scopes = ["reports:read"] if key == "reader" else ["transactions:send"]
    if key in {"revoked", "expired", "reader"}:
        made = await access.create(system.db, business_id=1, name=key, scopes=scopes)  # type: ignore[arg-type]
        change = {"revoked": "revoked_at = now()", "expired": "expires_at = now()"}.get(key)
        if change:
            await system.db.execute(f"UPDATE api_keys SET {change} WHERE name = $1", key)
        key = made.text
    async with peer(system.amqp, key) as asker, system.relay():
        await asker.ask(request("k"))
        [letter] = await asker.dead(1)
        if status == 403:
            assert (await asker.reply())["data"]["status"] == status
            await asker.events("send-request.refused.1")
    assert len(asker.answered) == (status == 403)
    assert letter.headers[topology.REASON].startswith(f"{status} ")
    assert await sends(system) == 0
    assert await system.db.fetchval("SELECT count(*) FROM request_answers") == (status == 403)
    if key and len(key) > 20:
        assert [each for each in logged() if key in json.dumps(each)] == []


async def test_a_key_asks_for_its_own_business_only(system: System) -> None:
    key = await access.create(system.db, business_id=2, name="b", scopes=["transactions:send"])
    async with peer(system.amqp, key.text) as asker, system.relay():
        await asker.ask(request("mine", customer_id=4))
        mine = await asker.reply()
        await asker.ask(request("foreign", customer_id=7))
        foreign = await asker.reply(2)
        await asker.events("send-request.accepted.2")
        await asker.events("send-request.refused.2")
    assert await system.db.fetch("SELECT business_id FROM sends") == [(2,)]
    assert "esi@customers" not in json.dumps(mine)
    assert foreign["data"]["status"] == 404
    used = await system.db.fetchval("SELECT last_used_at FROM api_keys WHERE name = 'b'")
    assert used is not None


async def test_answers_are_put_into_no_queue_of_ours(system: System, asker: Peer) -> None:
    async with system.relay():
        for number, queue in enumerate([*topology.QUEUES, "nobody-has-this"]):
            await asker.ask(request(str(number)), reply_to=queue)
        await asker.events("send-request.accepted.1", number=4)
        assert await asker.waiting(topology.DEAD_LETTERS) == 0
        assert await asker.waiting(topology.SEND_REQUESTS) == 0
    assert await sends(system) == 4


async def test_the_trace_of_a_request_runs_on_to_its_mail(system: System, asker: Peer) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    given = f"00-{trace}-b7ad6b7169203331-01"
    async with system.relay(), system.mailer():
        await asker.ask(request("in-the-event") | {"traceparent": given})
        await asker.reply()
        await asker.ask(request("in-a-header"), headers={"traceparent": given})
        await asker.reply(2)
        sent = await asker.events("delivery.sent.1", number=2)
    told = await asker.events("send-request.accepted.1", number=2)
    assert {each["traceparent"].split("-")[1] for each in [*sent, *told]} == {trace}
