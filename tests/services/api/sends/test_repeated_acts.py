"""Every call that changes something accepts an Idempotency-Key, with the same meaning."""

import asyncio
from typing import Any

import asyncpg
import pytest

from shared.deliveries.states import State
from tests.services.api.sends.calls import PATHS, PERIOD, Client, post
from tests.services.api.sends.stored import put, send

KEY = {"Idempotency-Key": "act-1"}
LATER = {"send_at": "2030-01-31T09:00:00Z"}
ACTS = ["send", "resend", "cancel", "reschedule", "resolve", "suppress"]


async def prepared(act: str, conn: asyncpg.Connection) -> tuple[str, dict[str, Any], str, Any]:
    """Return the path and the body of an act that works, and the same of another of its kind."""
    if act == "send":
        return PATHS[1].format(4), {"message": "a"}, PATHS[1].format(6), {"message": "b"}
    if act == "suppress":
        path = "/api/v3/suppressions"
        return path, {"email": "a@x.example"}, path, {"email": "b@x.example"}
    ids = [await send(conn, others=1) for _ in range(2)]
    for send_id in ids:
        await put(conn, send_id, *[State.IN_DOUBT if act == "resolve" else State.SCHEDULED] * 2)
        if act == "resend":
            await conn.execute(
                "INSERT INTO statements VALUES (1, sha256($1::text::bytea), '{}')", str(send_id)
            )
            await conn.execute(
                "UPDATE sends SET statement_sha256 = sha256(id::text::bytea) WHERE id = $1", send_id
            )
    if act == "resolve":
        rows = await conn.fetch(
            "SELECT min(id::text) AS id FROM deliveries WHERE send_id = ANY($1) GROUP BY send_id",
            ids,
        )
        one, other = (f"/api/v3/deliveries/{row['id']}/resolve" for row in rows)
        return one, {"as": "sent"}, other, {"as": "failed"}
    one, other = (f"/api/v3/sends/{send_id}/{act}" for send_id in ids)
    bodies: dict[str, Any] = {
        "reschedule": (LATER, {"send_at": "2031-01-31"}),
        "cancel": ({}, None),
        "resend": ({}, {"recipients": ["esi@customers.example.com"]}),
    }
    return one, bodies[act][0], other, bodies[act][1]


async def ask(api: Client, path: str, body: Any, **headers: str) -> tuple[Any, str]:
    params = PERIOD if "transactions/send" in path else {}
    async with api.post(path, params=params, json=body, headers=KEY | headers) as response:
        return response, await response.text()


async def rows(conn: asyncpg.Connection) -> list[Any]:
    """Everything that an act may change."""
    return [
        await conn.fetch(f"SELECT * FROM {table} ORDER BY 1, 2")
        for table in ("sends", "deliveries", "suppressions", "idempotency_keys")
    ]


@pytest.mark.parametrize("act", ACTS)
async def test_a_repetition_is_answered_as_the_first_and_changes_nothing(
    api: Client, ledger: asyncpg.Connection, act: str
) -> None:
    path, body, _, _ = await prepared(act, ledger)
    first, text = await ask(api, path, body)
    assert first.status in {200, 201, 202}, text
    assert "Idempotency-Replayed" not in first.headers
    before = await rows(ledger)
    for _ in range(2):
        again, same = await ask(api, path, body)
        assert (again.status, same) == (first.status, text)
        assert again.headers["Idempotency-Replayed"] == "true"
        assert again.headers.get("Location") == first.headers.get("Location")
        assert again.headers["Content-Type"] == first.headers["Content-Type"]
    assert await rows(ledger) == before


@pytest.mark.parametrize("act", ACTS)
async def test_another_body_another_path_and_another_act_are_refused(
    api: Client, ledger: asyncpg.Connection, act: str
) -> None:
    path, body, other_path, other_body = await prepared(act, ledger)
    _, text = await ask(api, path, body)
    before = await rows(ledger)
    others = [(other_path, body)] if other_path != path else []
    if other_body is not None:
        others.append((path, other_body))
    others.append(("/api/v3/suppressions", {"email": "other@x.example"}))
    for wrong_path, wrong_body in others:
        refused, problem = await ask(api, wrong_path, wrong_body)
        assert refused.status == 409, (wrong_path, problem)
        assert "different content" in problem
        assert "Retry-After" not in refused.headers
    assert await rows(ledger) == before
    assert (await ask(api, path, body))[1] == text


@pytest.mark.parametrize("act", ACTS)
async def test_while_the_first_is_at_work_the_others_are_told_to_come_again(
    api: Client, ledger: asyncpg.Connection, act: str
) -> None:
    path, body, _, _ = await prepared(act, ledger)
    async with ledger.transaction():
        await ledger.execute("SELECT pg_advisory_xact_lock(hashtextextended('act-1', 1))")
        busy, _ = await ask(api, path, body)
        assert busy.status == 409
        assert busy.headers["Retry-After"] == "1"
    assert (await ask(api, path, body))[0].status in {200, 201, 202}


@pytest.mark.parametrize("act", ACTS)
async def test_ten_at_once_are_one(api: Client, ledger: asyncpg.Connection, act: str) -> None:
    path, body, _, _ = await prepared(act, ledger)
    came = await asyncio.gather(*(ask(api, path, body) for _ in range(10)))
    done = [(answer.status, text) for answer, text in came if answer.status != 409]
    assert len(set(done)) == 1
    assert sum("Idempotency-Replayed" not in a.headers for a, _ in came if a.status != 409) == 1
    assert all(answer.headers["Retry-After"] for answer, _ in came if answer.status == 409)
    assert await ledger.fetchval("SELECT count(*) FROM idempotency_keys") == 1


@pytest.mark.parametrize("act", ACTS)
async def test_a_key_is_free_again_after_24_hours(
    api: Client, ledger: asyncpg.Connection, act: str
) -> None:
    path, body, other_path, _ = await prepared(act, ledger)
    _, text = await ask(api, path, body)
    await ledger.execute("UPDATE idempotency_keys SET created_at = now() - interval '23:59:50'")
    assert (await ask(api, path, body))[1] == text
    await ledger.execute("UPDATE idempotency_keys SET created_at = now() - interval '24:00:01'")
    other = {"email": "b@x.example"} if act == "suppress" else body
    fresh, answer = await ask(api, other_path, other)
    assert fresh.status in {200, 201, 202}, answer
    assert "Idempotency-Replayed" not in fresh.headers
    assert (await ask(api, other_path, other))[1] == answer
    assert await ledger.fetchval("SELECT count(*) FROM idempotency_keys") == 1


async def test_a_refused_act_leaves_its_key_free(api: Client, ledger: asyncpg.Connection) -> None:
    path, _, _, _ = await prepared("cancel", ledger)
    await ledger.execute("UPDATE deliveries SET state = 'failed'")
    for _ in range(2):
        refused, problem = await ask(api, path, {})
        assert refused.status == 409
        assert "cancelled any more" in problem
    assert await ledger.fetchval("SELECT count(*) FROM idempotency_keys") == 0
    assert (await ask(api, PATHS[0].format(4), {}))[0].status == 202


async def test_a_key_of_another_act_is_taken_over_whole_once_it_is_old(
    api: Client, ledger: asyncpg.Connection
) -> None:
    path, _, _, _ = await prepared("cancel", ledger)
    for one, then in ((path, PATHS[0].format(4)), (PATHS[0].format(4), path)):
        await ledger.execute("UPDATE deliveries SET state = 'scheduled'")
        await ledger.execute("TRUNCATE idempotency_keys")
        await ask(api, one, {})
        await ledger.execute("UPDATE deliveries SET state = 'scheduled'")
        await ledger.execute("UPDATE idempotency_keys SET created_at = now() - interval '25 h'")
        first, text = await ask(api, then, {})
        again, same = await ask(api, then, {})
        assert (again.status, same) == (first.status, text)
        assert again.headers.get("Location") == first.headers.get("Location")


async def test_a_key_that_is_none_is_refused_everywhere(
    api: Client, ledger: asyncpg.Connection
) -> None:
    for act in ACTS:
        path, body, _, _ = await prepared(act, ledger)
        refused, problem = await ask(api, path, body, **{"Idempotency-Key": "a b"})
        assert refused.status == 422, act
        assert '"field":"Idempotency-Key"' in problem
    response, _ = await post(api)
    assert response.status == 202
