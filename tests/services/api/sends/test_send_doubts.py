from typing import Any
from uuid import UUID

import asyncpg
import pytest

from services.api.access import store as keys
from shared.deliveries.states import State
from tests.services.api.command import run
from tests.services.api.sends.calls import Client, post
from tests.services.api.sends.stored import put, send

LIST = "/api/v3/deliveries/in-doubt"


async def doubted(conn: asyncpg.Connection, others: int = 0) -> list[UUID]:
    send_id = await send(conn, others=others)
    await put(conn, send_id, *[State.IN_DOUBT] * (others + 1))
    # A moment apart, as they come to be in doubt.
    await conn.execute(
        "UPDATE deliveries SET reason = 'no reply', attempts = 1,"
        " updated_at = '2024-12-01Z'::timestamptz + position * interval '1 s' WHERE send_id = $1",
        send_id,
    )
    rows = await conn.fetch(
        "SELECT id FROM deliveries WHERE send_id = $1 ORDER BY position", send_id
    )
    return [row["id"] for row in rows]


async def listed(api: Client, **params: str) -> dict[str, Any]:
    async with api.get(LIST, params=params) as response:
        assert response.status == 200
        page: dict[str, Any] = await response.json()
        return page


async def test_what_is_in_doubt_is_listed_page_by_page_oldest_first(
    api: Client, ledger: asyncpg.Connection
) -> None:
    ids = [str(each) for each in await doubted(ledger, others=4)]
    await post(api)
    first = await listed(api, limit="2")
    second = await listed(api, limit="2", cursor=first["next_cursor"])
    third = await listed(api, limit="2", cursor=second["next_cursor"])
    assert [each["id"] for page in (first, second, third) for each in page["data"]] == ids
    assert third["next_cursor"] is None
    assert first["data"][0] == {
        "id": ids[0],
        "send_id": str(
            await ledger.fetchval("SELECT send_id FROM deliveries WHERE id = $1", ids[0])
        ),
        "customer_id": 4,
        "email": "esi@customers.example.com",
        "attempts": 1,
        "reply": None,
        "reason": "no reply",
        "reason_code": "unclassified",
        "in_doubt_since": "2024-12-01T00:00:01.000000Z",
    }
    for wrong in ({"limit": "0"}, {"cursor": "x"}):
        async with api.get(LIST, params=wrong) as response:
            assert response.status == 422
            assert [e["field"] for e in (await response.json())["errors"]] == list(wrong)


@pytest.mark.parametrize(
    ("resolution", "state", "status"),
    [("sent", "sent", "sent"), ("resend", "deferred", "sending"), ("failed", "failed", "failed")],
)
async def test_a_doubt_is_resolved_once_and_the_send_tells_of_it(
    api: Client, ledger: asyncpg.Connection, resolution: str, state: str, status: str
) -> None:
    [delivery] = await doubted(ledger)
    path = f"/api/v3/deliveries/{delivery}/resolve"
    async with api.post(path, json={"as": resolution}) as response:
        assert response.status == 200
        shown = await response.json()
    assert (shown["status"], shown["recipients"][0]["id"]) == (status, str(delivery))
    assert shown["recipients"][0]["state"] == state
    assert (await listed(api))["data"] == []
    async with api.post(path, json={"as": resolution}) as response:
        assert response.status == 409


async def test_what_is_not_in_doubt_cannot_be_resolved(
    api: Client, ledger: asyncpg.Connection
) -> None:
    _, answer = await post(api)
    path = f"/api/v3/deliveries/{answer['recipients'][0]['id']}/resolve"
    async with api.post(path, json={"as": "sent"}) as response:
        assert response.status == 409
    for body in ({}, {"as": "lost"}, {"as": 1}, {"as": "sent", "why": "x"}):
        async with api.post(path, json=body) as response:
            assert response.status == 422
    assert await ledger.fetchval("SELECT state FROM deliveries") == "scheduled"


async def test_doubts_are_shown_to_their_business_alone(
    api: Client, ledger: asyncpg.Connection
) -> None:
    [delivery] = await doubted(ledger)
    other = await keys.create(ledger, business_id=2, name="x", scopes=["transactions:send"])
    headers = {"Authorization": f"Bearer {other.text}"}
    async with api.get(LIST, headers=headers) as response:
        assert await response.json() == {"data": [], "next_cursor": None}
    for each in (delivery, "01936d0e-0000-7000-8000-000000000000", "1"):
        path = f"/api/v3/deliveries/{each}/resolve"
        async with api.post(path, headers=headers, json={"as": "sent"}) as response:
            assert response.status == 404
    reader = await keys.create(ledger, business_id=1, name="x", scopes=["reports:read"])
    headers = {"Authorization": f"Bearer {reader.text}"}
    for method, path in (
        ("GET", LIST),
        ("POST", f"/api/v3/deliveries/{delivery}/resolve"),
        ("POST", f"/api/v3/sends/{delivery}/resend"),
        ("POST", f"/api/v3/sends/{delivery}/reschedule"),
    ):
        async with api.request(method, path, headers=headers) as response:
            assert response.status == 403
    assert await ledger.fetchval("SELECT state FROM deliveries") == "in_doubt"


async def test_doubts_by_command(database: str, ledger: asyncpg.Connection) -> None:
    one, two, three = await doubted(ledger, others=2)
    shown = await run("in-doubt", "list", "--business", "1", DATABASE_URL=database)
    assert [line.split()[0] for line in shown.out.splitlines()] == [
        "id", str(one), str(two), str(three),
    ]  # fmt: skip
    assert "esi@customers.example.com  no reply" in shown.out
    assert "2024-12-01T00:00:01Z" in shown.out
    few = await run("in-doubt", "list", "--most", "1", DATABASE_URL=database)
    assert len(few.out.splitlines()) == 2
    none = await run("in-doubt", "list", "--business", "2", DATABASE_URL=database)
    assert len(none.out.splitlines()) == 1

    done = await run("in-doubt", "resolve", str(one), "--as", "sent", DATABASE_URL=database)
    assert (done.status, done.out, done.err) == (0, "resolved 1\n", "")
    part = await run(
        "in-doubt", "resolve", str(one), str(two), "--as", "give-up", DATABASE_URL=database
    )
    assert (part.status, part.out) == (1, "resolved 1\n")
    assert part.err == f"{one}: This delivery is not in doubt.\n"
    again = await run("in-doubt", "resolve", str(three), "--as", "resend", DATABASE_URL=database)
    assert again.status == 0
    states = await ledger.fetch("SELECT state FROM deliveries ORDER BY position")
    assert [row["state"] for row in states] == ["sent", "failed", "deferred"]
    wrong = await run("in-doubt", "resolve", str(two), "--as", "lost", DATABASE_URL=database)
    assert wrong.status == 2
