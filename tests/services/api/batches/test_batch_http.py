"""The calls about batches."""

from typing import Any
from uuid import UUID

import asyncpg
import pytest

from services.api.batches import accept as accepting
from tests.services.api.batches.calls import (
    BATCHES,
    SEND,
    cancel,
    expanded,
    get,
    post,
    refused,
)
from tests.services.api.sends.calls import Client

ALL = {"skip_empty": False}


async def test_a_batch_is_accepted(api: Client, ledger: asyncpg.Connection) -> None:
    body = {
        "filter": {"archived": False, "id": [4, 5], "min_balance": "-1.5000", "max_balance": 12.5},
        "message": "Thank you!",
        "other_emails": ["O@x.com"],
        "copy_to_me": 1,
        "statement_kind": "open-items",
        "locale": "fr",
        "skip_empty": "0",
        "min_balance": "-1.50",
    }
    response, batch = await post(api, body)

    assert response.status == 202, batch
    assert response.headers["Location"] == f"{BATCHES}/{batch['id']}"
    assert batch == await get(api, response.headers["Location"])
    assert batch["filter"] == {
        "archived": 0,
        "id": [4, 5],
        "min_balance": "-1.5",
        "max_balance": "12.5",
    }
    assert {name: batch[name] for name in body if name not in ("filter", "message")} == {
        "other_emails": ["O@x.com"],
        "copy_to_me": True,
        "statement_kind": "open-items",
        "locale": "fr",
        "skip_empty": False,
        "min_balance": "-1.5",
    }
    assert (batch["personal_message"], batch["from"], batch["to"]) == (
        "Thank you!",
        "2024-11-01",
        "2024-11-30",
    )
    assert (batch["status"], batch["progress"]["customers"]) == ("expanding", 2)
    # It is the business of the key whose customers were selected.
    assert await ledger.fetchval("SELECT business_id FROM batches") == 1


async def test_a_word_means_days(api: Client) -> None:
    response, batch = await post(api, ALL, params={"period": "2024-Q3"})

    assert (batch["from"], batch["to"]) == ("2024-07-01", "2024-09-30")
    assert response.headers["Content-Location"] == f"{SEND}?from=2024-07-01&to=2024-09-30"
    assert await refused(api, {}, params={"period": "2024-Q3", "from": "2024-01-01"}) == {
        "from": "should not be given beside period"
    }
    assert (await refused(api, {}, params={})).keys() == {"from", "to"}


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"filter": []}, {"filter"}),
        ({"filter": "archived"}, {"filter"}),
        ({"filter": {"archived": "yes", "id": "x", "q": 5}}, None),
        ({"filter": {"sort": "balance"}}, {"filter.sort"}),
        ({"filter": {"id": []}}, {"filter.id"}),
        ({"filter": {"id": True}}, {"filter.id"}),
        ({"filter": {"id": [[4]]}}, {"filter.id"}),
        ({"filter": {"min_balance": 5, "max_balance": 4}}, {"filter.max_balance"}),
        ({"filter": {"min_balance": 123456789012.1234}}, {"filter.min_balance"}),
        ({"filter": {"min_owing": {"a": 1}}}, {"filter.min_owing"}),
        ({"filter": {"min_owing": "1e3"}}, {"filter.min_owing"}),
        ({"filter": {"q": "x" * 201}}, {"filter.q"}),
        ({"filter": {"q": "nobody"}}, {"filter"}),
        ({"min_balance": 0.00001}, {"min_balance"}),
        ({"min_balance": [1]}, {"min_balance"}),
        ({"skip_empty": "perhaps"}, {"skip_empty"}),
        ({"frozen_list": "mine"}, {"frozen_list"}),
        ({"frozen_list": 7}, {"frozen_list"}),
        ({"send_at": "2024-02-30"}, {"send_at"}),
        ({"send_at": "2031-01-01", "send_tome": "2031-01-02"}, {"send_at"}),
        ({"other_emails": ["no address"]}, {"other_emails"}),
        ({"customers": [1]}, {"customers"}),
    ],
)
async def test_what_is_wrong_is_named(api: Client, body: Any, fields: set[str] | None) -> None:
    expected = fields or {"filter.archived", "filter.id.0", "filter.q"}
    assert (await refused(api, body)).keys() == expected


async def test_a_form_has_no_filter(api: Client) -> None:
    answer = await refused(api, None, json=None, data={"filter": '{"id": [4]}'})
    assert answer == {"filter": "should be an object with filters of the list"}


async def test_a_repetition_gets_the_first_answer(api: Client, ledger: asyncpg.Connection) -> None:
    key = {"Idempotency-Key": "november"}
    _, first = await post(api, {"filter": {"min_balance": 0, "id": [4, 5]}}, headers=key)
    response, again = await post(
        api, {"filter": {"id": ["5", 4, 4], "min_balance": "0.00"}, "message": ""}, headers=key
    )
    assert (response.status, again) == (202, first)
    assert response.headers["Idempotency-Replayed"] == "true"
    assert response.headers["Location"] == f"{BATCHES}/{first['id']}"
    assert await ledger.fetchval("SELECT count(*) FROM batches") == 1

    for other in ({"filter": {"id": 4}}, {"skip_empty": False}, {"min_balance": 1}):
        response, _ = await post(api, other, headers=key)
        assert response.status == 409


async def test_a_refused_request_leaves_its_key_free(api: Client) -> None:
    key = {"Idempotency-Key": "december"}
    assert (await post(api, {"filter": {"q": "nobody"}}, headers=key))[0].status == 422
    assert (await post(api, {"filter": {"q": "gone"}}, headers=key))[0].status == 202


async def test_too_much_is_a_429(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accepting, "OPEN_MAX", 1)
    await post(api, ALL)
    response, problem = await post(api, ALL)
    assert (response.status, problem["type"]) == (429, "/problems/over-quota")
    assert int(response.headers["Retry-After"]) >= 1


async def test_a_batch_tells_what_became_of_it(api: Client, ledger: asyncpg.Connection) -> None:
    _, batch = await post(api, ALL)
    await expanded(ledger, batch["id"])
    await ledger.execute(
        """UPDATE deliveries SET state = 'sent', sent_at = now()
           WHERE email_key = 'esi@customers.example.com'"""
    )
    shown = await get(api, batch["links"]["self"])

    assert shown["status"] == "sending"
    assert shown["counts"] == {"scheduled": 1, "sent": 1}
    assert shown["skipped"] == {"no_address": 3}
    assert shown["progress"] == {"customers": 5, "expanded": 5, "sends": 2, "finished": 1}
    await ledger.execute(
        """UPDATE deliveries SET state = 'committing', lease_until = now()
           WHERE state = 'scheduled'"""
    )
    assert (await get(api, batch["links"]["self"]))["counts"] == {"sending": 1, "sent": 1}


async def test_the_sends_of_a_batch(api: Client, ledger: asyncpg.Connection) -> None:
    _, single = await post(api, {**ALL, "filter": {"id": 4}})
    _, batch = await post(api, ALL)
    await expanded(ledger, single["id"])
    await expanded(ledger, batch["id"])
    path = batch["links"]["sends"]

    sends = (await get(api, path))["data"]
    assert {send["customer_id"] for send in sends} == {4, 6}
    assert {send["batch_id"] for send in sends} == {batch["id"]}
    assert sends == (await get(api, "/api/v3/sends", batch_id=batch["id"]))["data"]

    first = await get(api, path, limit=1)
    second = await get(api, path, limit=1, cursor=first["next_cursor"])
    assert [*first["data"], *second["data"]] == sends
    assert second["next_cursor"] is None

    await ledger.execute(
        "UPDATE deliveries SET state = 'failed' WHERE send_id = $1", sends[0]["id"]
    )
    [failed] = (await get(api, path, status="failed"))["data"]
    assert failed["id"] == sends[0]["id"]
    assert (await get(api, path, status="sent"))["data"] == []
    assert (await get(api, path, 422, q="x"))["errors"][0]["field"] == "q"


async def test_the_skipped_customers_of_a_batch(api: Client, ledger: asyncpg.Connection) -> None:
    _, batch = await post(api)
    await expanded(ledger, batch["id"])
    path = batch["links"]["skipped"]

    whole = await get(api, path)
    assert [(each["customer_id"], each["reason_code"]) for each in whole["data"]] == [
        (4, "statement_empty"),
        (5, "no_address"),
        (6, "statement_empty"),
        (7, "no_address"),
        (8, "no_address"),
    ]
    assert whole["data"][1] == {
        "customer_id": 5,
        "business_name": "No address",
        "reason": "the customer has no e-mail address",
        "reason_code": "no_address",
    }
    found, cursor = [], {}
    while True:
        page = await get(api, path, limit=2, **cursor)
        found += page["data"]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert found == whole["data"]
    few = await get(api, path, reason_code="statement_empty")
    assert [each["customer_id"] for each in few["data"]] == [4, 6]

    _, other = await post(api)
    problem = await get(api, other["links"]["skipped"], 422, **cursor)
    assert problem["errors"][0]["field"] == "cursor"
    assert (await get(api, path, 422, reason_code="No!"))["errors"][0]["field"] == "reason_code"


async def test_a_cancel_over_http(api: Client, ledger: asyncpg.Connection) -> None:
    _, batch = await post(api, {"skip_empty": False})
    await expanded(ledger, batch["id"])
    key = {"Idempotency-Key": "stop"}
    response, cancelled = await cancel(api, batch["id"], headers=key)
    assert (response.status, cancelled["status"]) == (200, "cancelled")
    assert cancelled["counts"] == {"cancelled": 2}
    assert cancelled["links"]["cancel"] is None

    await ledger.execute("UPDATE deliveries SET state = 'failed'")
    response, again = await cancel(api, batch["id"], headers=key)
    assert again == cancelled
    assert response.headers["Idempotency-Replayed"] == "true"
    response, now = await cancel(api, batch["id"])
    assert (response.status, now["counts"]) == (200, {"failed": 2})

    _, other = await post(api, {"skip_empty": False})
    response, _ = await cancel(api, other["id"], headers=key)
    assert response.status == 409
    assert (await get(api, f"{BATCHES}/{other['id']}"))["status"] == "expanding"

    await ledger.execute("UPDATE batches SET phase = 'done'")
    response, problem = await cancel(api, other["id"])
    assert (response.status, problem["detail"]) == (
        409,
        "Nothing of this batch can be cancelled any more.",
    )


@pytest.mark.parametrize("path", ["", "/sends", "/skipped"])
@pytest.mark.parametrize("batch", [str(UUID(int=9)), "none", "%00"])
async def test_a_batch_that_is_not_there(api: Client, batch: str, path: str) -> None:
    problem = await get(api, f"{BATCHES}/{batch}{path}", 404)
    assert problem["detail"] == "There is no such batch."


async def test_a_method_that_is_not_there(api: Client) -> None:
    for method in ("PUT", "GET"):
        async with api.request(method, SEND) as response:
            assert (response.status, "POST" in response.headers["Allow"]) == (405, True)
    async with api.delete(BATCHES) as response:
        assert response.status == 405
