"""From a request for a batch over the queue to its mails."""

import asyncio
import json
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.api.access import store as access
from services.api.batches import frozen_lists
from services.api.intake.messages import AskedBatch
from shared.amqp import topology
from shared.period import Period
from tests.journeys.conftest import System, sends
from tests.peer import Peer, batch_request, peer, request


async def batches(system: System) -> int:
    return int(await system.db.fetchval("SELECT count(*) FROM batches"))


async def frozen_list(system: System, *customers: int) -> UUID:
    """Store a list of these customers of business 1, as a dry run does."""
    asked = AskedBatch.model_validate(batch_request("dry")["data"]).request()
    assert isinstance(asked.period, Period)
    made = await frozen_lists.create(system.db, 1, asked, asked.period)
    await frozen_lists.add(system.db, made.id, {each: ["esi@x.example"] for each in customers})
    return made.id


async def test_the_answer_is_the_one_of_the_post_and_both_share_their_idempotency_keys(
    system: System, asker: Peer
) -> None:
    async with system.http.post(
        "/api/v3/reports/customers/transactions/send?from=2024-11-01&to=2024-11-30",
        json={"message": "once", "send_at": "2030-01-31"},
        headers={"Idempotency-Key": "order-7"},
    ) as response:
        assert response.status == 202, await response.text()
        over_http = await response.json()
    async with system.relay():
        asked = batch_request("2", message="once", send_at="2030-01-31")
        await asker.ask(asked | {"idempotencykey": "order-7"})
        assert (await asker.reply())["data"] == over_http
        other = batch_request("3", message="other") | {"idempotencykey": "order-7"}
        await asker.ask(other)
        refused = await asker.reply(2)
        # A key is one for sends and batches.
        await asker.ask(request("4") | {"idempotencykey": "order-7"})
        assert (await asker.reply(3))["data"]["detail"] == refused["data"]["detail"]
        await asker.ask(request("5") | {"idempotencykey": "order-8"})
        await asker.reply(4)
        await asker.ask(batch_request("6") | {"idempotencykey": "order-8"})
        assert (await asker.reply(5))["data"]["detail"] == refused["data"]["detail"]
    assert refused["type"] == "com.ledgerpost.batch-request.refused.v1"
    assert refused["data"]["status"] == 409
    assert "Idempotency-Key" in refused["data"]["detail"]
    assert await batches(system) == 1


async def test_one_event_any_number_of_times_is_one_batch_and_one_answer(
    system: System, asker: Peer
) -> None:
    async with system.relay(), system.relay():
        await asyncio.gather(*(asker.ask(batch_request("same")) for _ in range(30)))
        await asker.reply(30)
        replies = {each.body for each in asker.answered}
        # Neither another batch nor a send may have the names of an event that is taken.
        await asker.ask(batch_request("same", message="other"))
        assert (await asker.reply(31))["data"]["status"] == 409
        await asker.ask(request("same"))
        assert (await asker.reply(32))["data"]["status"] == 409
        await asker.events("batch-request.refused.1")
        await asker.events("send-request.refused.1")
    assert len(replies) == 1
    assert await batches(system) == 1
    answer = json.loads(replies.pop())
    assert {each["id"] for each in await asker.events("batch-request.accepted.1")} == {answer["id"]}


@pytest.mark.parametrize("kind", ["send", "batch"])
async def test_copies_that_come_at_once_are_not_refused_for_the_quota_that_the_first_used_up(
    system: System, asker: Peer, kind: str
) -> None:
    most = {"send": 1, "batch": 5}[kind]
    make = {"send": request, "batch": batch_request}[kind]
    async with system.relay(daily_quota=most), system.relay(daily_quota=most):
        for number in range(10):
            await system.db.execute("DELETE FROM due_recipients")
            await system.db.execute("DELETE FROM daily_recipients")
            await asyncio.gather(*(asker.ask(make(f"same {number}")) for _ in range(8)))
            await asker.reply(8 * (number + 1))
    types = {json.loads(each.body)["type"] for each in asker.answered}
    assert types == {f"com.ledgerpost.{kind}-request.accepted.v1"}
    assert await asker.waiting(topology.DEAD_LETTERS) == 0


async def test_batches_of_one_business_that_come_at_once_are_all_accepted(
    system: System, asker: Peer
) -> None:
    """Only one at a time can be accepted; the others wait in the relay and are not refused."""
    async with system.relay(), system.relay():
        await asyncio.gather(
            *(asker.ask(batch_request(str(n), send_at="2030-01-31")) for n in range(12))
        )
        await asker.reply(12)
    types = {json.loads(each.body)["type"] for each in asker.answered}
    assert types == {"com.ledgerpost.batch-request.accepted.v1"}
    assert await batches(system) == 12
    assert await asker.waiting(topology.DEAD_LETTERS) == 0


async def test_a_copy_finds_the_answer_long_after_idempotency_keys_are_forgotten(
    system: System, asker: Peer
) -> None:
    async with system.relay():
        await asker.ask(batch_request("late") | {"idempotencykey": "once"})
        first = await asker.reply()
        await system.db.execute("DELETE FROM idempotency_keys")
        await asker.ask(batch_request("late") | {"idempotencykey": "once"})
        assert await asker.reply(2) == first
    assert await batches(system) == 1


async def test_a_frozen_list_is_good_for_one_batch_of_what_it_was_made_for(
    system: System, asker: Peer
) -> None:
    listed = str(await frozen_list(system, 4, 6))
    async with system.relay():
        await asker.ask(batch_request("other", frozen_list=listed, message="another"))
        other = await asker.reply()
        await asker.ask(batch_request("right", frozen_list=listed))
        right = await asker.reply(2)
        await asker.ask(batch_request("again", frozen_list=listed))
        again = await asker.reply(3)
    assert [each["field"] for each in other["data"]["errors"]] == ["message"]
    assert right["data"]["progress"]["customers"] == 2
    assert again["data"]["status"] == 404
    assert await batches(system) == 1


DEEP: Any = {}
for _ in range(30):
    DEEP = {"id": DEEP}

REFUSED: list[tuple[Any, int, list[str]]] = [
    (batch_request("r", filter={"nobody": 1}), 422, ["filter.nobody"]),
    (batch_request("r", filter=[]), 422, ["filter"]),
    (batch_request("r", filter="id=4"), 422, ["filter"]),
    (batch_request("r", filter={"id": []}), 422, ["filter.id"]),
    (batch_request("r", filter={"id": [2**64]}), 422, ["filter.id"]),
    (batch_request("r", filter={"id": list(range(201))}), 422, ["filter.id"]),
    (batch_request("r", filter={"q": "a\0"}), 422, ["filter"]),
    (batch_request("r", filter={"q": "x" * 201}), 422, ["filter.q"]),
    (batch_request("r", filter={"min_balance": 1e300}), 422, ["filter.min_balance"]),
    (batch_request("r", filter={"min_balance": 2, "max_balance": 1}), 422, ["filter.max_balance"]),
    (batch_request("r", filter={"active": "maybe"}), 422, ["filter.active"]),
    (batch_request("r", filter={"id": 999}), 422, ["filter"]),
    (batch_request("r", filter=DEEP), 422, ["filter"]),
    (batch_request("r", min_balance="lots"), 422, ["min_balance"]),
    (batch_request("r", skip_empty="perhaps"), 422, ["skip_empty"]),
    (batch_request("r", frozen_list="none"), 422, ["frozen_list"]),
    (batch_request("r", frozen_list=str(uuid4())), 404, []),
    (batch_request("r", other_emails=["a@x.example\r\nBcc: b@x.example"]), 422, ["other_emails"]),
    (
        batch_request("r", other_emails=[f"a{n}@x.example" for n in range(40)]),
        422,
        ["other_emails"],
    ),
    (batch_request("r", send_at="2024-02-30"), 422, ["send_at"]),
    (batch_request("r", period="last-month"), 422, ["from", "to"]),
    (batch_request("r", **{"from": "2024-12-01"}), 422, ["from"]),
    (batch_request("r", dry_run=1), 422, ["dry_run"]),
    (batch_request("r", customer_id=4), 422, ["customer_id"]),
    (batch_request("r") | {"data": None}, 422, ["data"]),
    (batch_request("r") | {"source": None}, 422, ["source"]),
    (batch_request("r") | {"type": "com.ledgerpost.batch-request.v2"}, 422, ["type"]),
]


async def test_what_is_refused_is_answered_with_the_field_at_fault_and_buried_with_the_reason(
    system: System, asker: Peer, logged: Any
) -> None:
    async with system.relay():
        for number, (body, status, fields) in enumerate(REFUSED, start=1):
            await asker.ask(body)
            refused = await asker.reply(number)
            assert refused["type"] == "com.ledgerpost.batch-request.refused.v1", body
            problem = refused["data"]
            found = [each["field"] for each in problem["errors"]]
            assert (problem["status"], found) == (status, fields), (body, problem)
        await asker.ask(request("neighbour"))
        await asker.reply(len(REFUSED) + 1)
        letters = await asker.dead(len(REFUSED))
        events = await asker.events("batch-request.refused.1", number=len(REFUSED))
    assert await batches(system) == 0
    assert await sends(system) == 1
    assert {each["requestid"] for each in events} == {"r"}
    assert "422 filter: selects no customer" in [each.headers[topology.REASON] for each in letters]
    named = {
        field
        for each in logged()
        if each["event"] == "queue_request_refused"
        for field in each.get("fields") or ()
    }
    # A name that the caller chose is not repeated in the log.
    assert {"filter", "min_balance", "unknown"} <= named
    assert "nobody" not in named


async def test_a_megabyte_of_filter_is_refused_and_holds_up_nobody(
    system: System, asker: Peer
) -> None:
    async with system.relay():
        many = {"id": ["1"] * 200_000}
        await asker.ask(batch_request("many", filter=many))
        await asker.ask(batch_request("huge", message="x" * (16 * 1024 * 1024 - 500)))
        await asker.ask(request("neighbour"))
        await asker.reply(3)
        told = [json.loads(each.body) for each in asker.answered]
        letters = await asker.dead(2)
    statuses = {each["requestid"]: each["data"].get("status") for each in told}
    # A body of more than a megabyte is not read.
    assert statuses == {"many": 422, None: 400, "neighbour": "sending"}
    assert {len(each.body) for each in letters} == {64 * 1024}
    assert await batches(system) == 0


async def test_a_key_asks_for_the_customers_of_its_own_business_only(
    system: System, asker: Peer
) -> None:
    """Not even with a frozen list or an Idempotency-Key of another business."""
    key = await access.create(system.db, business_id=2, name="b", scopes=["transactions:send"])
    listed = str(await frozen_list(system, 4))
    async with peer(system.amqp, key.text) as other, system.relay():
        await asker.ask(batch_request("1", send_at="2030-01-31") | {"idempotencykey": "k"})
        theirs = await asker.reply()
        await other.ask(batch_request("1", send_at="2030-01-31") | {"idempotencykey": "k"})
        mine = await other.reply()
        await other.ask(batch_request("2", frozen_list=listed))
        foreign = await other.reply(2)
        await other.ask(batch_request("3", frozen_list=str(uuid4())))
        missing = await other.reply(3)
        await other.ask(batch_request("4", filter={"id": 7}))
        nobody = await other.reply(4)
        await other.events("batch-request.accepted.2")
        await other.events("batch-request.refused.2", number=3)
    assert mine["id"] != theirs["id"]
    assert mine["data"]["id"] != theirs["data"]["id"]
    assert foreign["data"] == missing["data"]
    assert foreign["data"]["status"] == 404
    assert nobody["data"]["status"] == 422
    owners = await system.db.fetch("SELECT business_id FROM batches ORDER BY 1")
    assert [row["business_id"] for row in owners] == [1, 2]
    selected = await system.db.fetch(
        "SELECT c.customer_id FROM batch_customers c JOIN batches b ON b.id = c.batch_id"
        " WHERE b.business_id = 2"
    )
    own = await system.db.fetch("SELECT id FROM customers WHERE business_id = 2")
    assert {row["customer_id"] for row in selected} == {row["id"] for row in own}


async def test_a_batch_over_the_quota_of_the_day_is_refused_and_leaves_nothing(
    system: System, asker: Peer
) -> None:
    async with system.relay(daily_quota=2):
        await asker.ask(batch_request("1"))
        refused = await asker.reply()
        await asker.dead(1)
        await asker.ask(request("single"))
        single = await asker.reply(2)
    assert refused["data"]["status"] == 429
    assert single["type"] == "com.ledgerpost.send-request.accepted.v1"
    assert await batches(system) == 0
    assert await system.db.fetchval("SELECT count(*) FROM batch_customers") == 0


@pytest.mark.parametrize("scope", ["reports:read", "branding:write"])
async def test_a_key_without_the_scope_makes_no_batch(system: System, scope: Any) -> None:
    made = await access.create(system.db, business_id=1, name="r", scopes=[scope])
    async with peer(system.amqp, made.text) as asker, system.relay():
        await asker.ask(batch_request("k"))
        assert (await asker.reply())["data"]["status"] == 403
        await asker.dead(1)
    assert await batches(system) == 0
