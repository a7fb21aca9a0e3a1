import asyncio
from typing import Any
from urllib.parse import urlencode

import asyncpg
import pytest
from aiohttp import FormData

from services.api.access import store as keys
from tests.services.api.sends.calls import PATHS, Client, post


def to(answer: dict[str, Any]) -> list[str]:
    return [each["email"] for each in answer["recipients"]]


@pytest.mark.parametrize("path", PATHS)
async def test_all_three_names_send_and_locate_the_send(api: Client, path: str) -> None:
    response, answer = await post(api, path=path)
    assert response.status == 202
    assert response.headers["Location"] == f"/api/v3/sends/{answer['id']}"
    assert "Idempotency-Replayed" not in response.headers
    async with api.get(response.headers["Location"]) as shown:
        assert shown.status == 200
        assert await shown.json() == answer


async def test_one_key_names_one_request_under_all_three_names(
    api: Client, ledger: asyncpg.Connection
) -> None:
    headers = {"Idempotency-Key": "order-1"}
    answers = [await post(api, path=path, headers=headers, json={}) for path in PATHS]
    assert [response.status for response, _ in answers] == [202, 202, 202]
    assert len({response.headers["Location"] for response, _ in answers}) == 1
    assert [response.headers.get("Idempotency-Replayed") for response, _ in answers] == [
        None,
        "true",
        "true",
    ]
    assert answers[0][1] == answers[1][1] == answers[2][1]
    response, _ = await post(api, headers=headers, json={"message": "other"})
    assert response.status == 409
    assert await ledger.fetchval("SELECT count(*) FROM sends") == 1


async def test_twenty_at_once_with_one_key_make_one_send(
    api: Client, ledger: asyncpg.Connection
) -> None:
    headers = {"Idempotency-Key": "order-1"}
    answers = await asyncio.gather(*(post(api, headers=headers) for _ in range(20)))
    statuses = [response.status for response, _ in answers]
    assert set(statuses) <= {202, 409}
    assert 202 in statuses
    assert len({answer["id"] for response, answer in answers if response.status == 202}) == 1
    assert await ledger.fetchval("SELECT count(*) FROM sends") == 1


_MANY = ["a@x.com", "B@x.com"]
_FORMS = {
    "brackets": urlencode([("other_emails[]", each) for each in _MANY]),
    "repeated": urlencode([("other_emails", each) for each in _MANY]),
    "commas": urlencode({"other_emails": ",".join(_MANY)}),
}


@pytest.mark.parametrize("form", _FORMS)
async def test_urlencoded_forms(api: Client, form: str) -> None:
    response, answer = await post(
        api,
        data=f"{_FORMS[form]}&message=a%0D%0Ab&send_tome=1",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert response.status == 202
    assert to(answer) == ["esi@customers.example.com", *_MANY, "owner@kente.example.com"]
    assert answer["personal_message"] == "a\nb"


@pytest.mark.parametrize("name", ["other_emails", "other_emails[]"])
async def test_multipart_forms(api: Client, name: str) -> None:
    form = FormData(default_to_multipart=True)
    for each in _MANY:
        form.add_field(name, each)
    form.add_field("send_tome", "2030-01-01")
    form.add_field("message", "Ɛsi")
    response, answer = await post(api, data=form)
    assert response.status == 202
    assert to(answer) == ["esi@customers.example.com", *_MANY]
    assert (answer["message"], answer["personal_message"]) == ("Transactions scheduled", "Ɛsi")
    assert answer["send_at"] == "2030-01-01T00:00:00.000000Z"


async def test_sends_are_shown_to_their_business_alone(
    api: Client, ledger: asyncpg.Connection
) -> None:
    stranger = await keys.create(ledger, business_id=2, name="x", scopes=["transactions:send"])
    _, answer = await post(api)
    headers = {"Authorization": f"Bearer {stranger.text}"}
    bodies = []
    for send_id in (answer["id"], "01936d0e-0000-7000-8000-000000000000", "1"):
        async with api.get(f"/api/v3/sends/{send_id}", headers=headers) as shown:
            assert shown.status == 404
            bodies.append((await shown.json())["detail"])
        async with api.post(f"/api/v3/sends/{send_id}/cancel", headers=headers) as cancelled:
            assert cancelled.status == 404
            bodies.append((await cancelled.json())["detail"])
    assert len(set(bodies)) == 1
    async with api.get("/api/v3/sends", headers=headers) as listed:
        assert await listed.json() == {"data": [], "next_cursor": None}
    assert await ledger.fetchval("SELECT state FROM deliveries") == "scheduled"


async def test_every_call_needs_the_scope(api: Client, ledger: asyncpg.Connection) -> None:
    reader = await keys.create(ledger, business_id=1, name="x", scopes=["reports:read"])
    _, answer = await post(api)
    headers = {"Authorization": f"Bearer {reader.text}"}
    calls = [("POST", f"{path.format(4)}?from=2024-11-01&to=2024-11-30") for path in PATHS]
    calls += [
        ("GET", "/api/v3/sends"),
        ("GET", f"/api/v3/sends/{answer['id']}"),
        ("POST", f"/api/v3/sends/{answer['id']}/cancel"),
    ]
    for method, path in calls:
        async with api.request(method, path, headers=headers) as response:
            assert response.status == 403
    assert await ledger.fetchval("SELECT count(*) FROM sends") == 1


async def test_a_cancelled_send_is_answered_and_cannot_be_cancelled_twice(api: Client) -> None:
    _, answer = await post(api, json={"send_at": "2030-01-01"})
    path = f"/api/v3/sends/{answer['id']}"
    async with api.post(f"{path}/cancel") as response:
        assert response.status == 200
        cancelled = await response.json()
    assert (cancelled["status"], cancelled["recipients"][0]["state"]) == ("cancelled", "cancelled")
    assert cancelled["message"] == "Transactions scheduled"
    async with api.post(f"{path}/cancel") as response:
        assert response.status == 409
        assert response.content_type == "application/problem+json"
    async with api.get(path) as response:
        assert await response.json() == cancelled


async def test_the_history_is_read_page_by_page(api: Client) -> None:
    sent = [(await post(api))[1]["id"] for _ in range(5)]
    seen, cursor = [], None
    while True:
        params = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        async with api.get("/api/v3/sends", params=params) as response:
            page = await response.json()
        seen += [each["id"] for each in page["data"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
        assert len(page["data"]) == 2
    assert seen == sent[::-1]
