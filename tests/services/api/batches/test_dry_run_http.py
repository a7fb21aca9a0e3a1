"""The call for a dry run: its answer, and what bounds it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import asyncpg
import pytest

from services.api.access import store as keys
from services.api.app import create_app
from services.api.batches import dry_run_handler
from services.api.http.appkeys import DATABASES, DRY_RUNS
from services.api.http.streams import stream
from shared.process.settings import ApiSettings
from tests.app_runner import running
from tests.roles import acting
from tests.services.api.sends.calls import PERIOD, Client

SEND = "/api/v3/reports/customers/transactions/send"

pytestmark = pytest.mark.usefixtures("owing")


async def post(api: Client, body: Any = None, key: str = "", **params: str) -> Any:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    asked = params if "period" in params else {**PERIOD, **params}
    async with api.post(SEND, params=asked, json=body or {}, headers=headers) as response:
        return response, await response.json()


async def dry(api: Client, body: Any = None, **given: str) -> Any:
    response, answer = await post(api, body, dry_run="1", **given)
    assert response.status == 200, answer
    return answer


async def test_the_real_call_names_the_list_and_does_what_was_shown(
    api: Client, ledger: asyncpg.Connection
) -> None:
    body = {"filter": {"archived": False}, "message": "Hi", "send_at": "2031-01-31"}
    shown = await dry(api, body)
    assert shown["data"][0] == {
        "customer_id": 4,
        "business_name": "Ɛsi",
        "recipients": ["esi@customers.example.com"],
        "skipped": [],
        "reason": None,
        "reason_code": None,
    }
    assert [each["reason_code"] for each in shown["data"]] == [None, *["no_address"] * 3]
    assert shown["quota"]["day"] == "2031-01-31"
    assert shown["send_at"] == "2031-01-31T00:00:00.000000Z"
    assert await ledger.fetchval("SELECT count(*) FROM batches") == 0
    path = f"/api/v3/frozen-lists/{shown['frozen_list']['id']}"
    async with api.get(path, params={"limit": "1"}) as response:
        assert await response.json() == {
            "data": [{name: shown["data"][0][name] for name in
                      ("customer_id", "business_name", "recipients")}],
            "next_cursor": None,
        }  # fmt: skip
    named = {**body, "frozen_list": shown["frozen_list"]["id"]}
    again = await dry(api, named)
    assert again["frozen_list"] == shown["frozen_list"]
    response, batch = await post(api, named)
    assert (response.status, batch["progress"]["customers"]) == (202, 1)
    response, problem = await post(api, named)
    assert (response.status, problem["type"]) == (404, "/problems/not-found")
    async with api.get(path) as response:
        assert (await response.json())["detail"] == problem["detail"]


async def test_a_contradicting_request_is_told_the_field(api: Client) -> None:
    listed = (await dry(api))["frozen_list"]["id"]
    for params in ({}, {"dry_run": "1"}):
        response, problem = await post(api, {"frozen_list": listed, "message": "Hi"}, **params)
        assert response.status == 422
        assert [each["field"] for each in problem["errors"]] == ["message"]
    response, problem = await post(api, {"frozen_list": listed}, period="2024-10")
    assert [each["field"] for each in problem["errors"]] == ["period"]


async def test_a_word_for_the_period_is_told_as_dates(api: Client) -> None:
    response, shown = await post(api, period="2024-11", dry_run="1")
    assert (shown["from"], shown["to"]) == (PERIOD["from"], PERIOD["to"])
    assert "dry_run=1&from=2024-11-01&to=2024-11-30" in response.headers["Content-Location"]


@pytest.mark.parametrize("flag", ["yes", "", "2"])
async def test_a_flag_is_0_or_1(api: Client, flag: str) -> None:
    response, problem = await post(api, dry_run=flag)
    assert response.status == 422
    assert [each["field"] for each in problem["errors"]] == ["dry_run"]


async def test_it_uses_no_idempotency_key(api: Client, ledger: asyncpg.Connection) -> None:
    headers = {"Idempotency-Key": "bulk-1"}
    for _ in range(2):
        params = {**PERIOD, "dry_run": "1"}
        async with api.post(SEND, params=params, json={}, headers=headers) as response:
            assert "Idempotency-Replayed" not in response.headers
    assert await ledger.fetchval("SELECT count(*) FROM frozen_lists") == 2
    async with api.post(SEND, params=PERIOD, json={}, headers=headers) as response:
        assert (response.status, "Idempotency-Replayed" in response.headers) == (202, False)


@pytest.fixture
async def slow(
    database: str, ledger: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Callable[..., Awaitable[Any]]]:
    """An API whose dry runs take until they are let go, with a key of each of three businesses."""
    let_go, made = asyncio.Event(), dry_run_handler.dry_run

    async def waits(conn: asyncpg.Connection, business: int, *given: Any) -> Any:
        running_now.append(business)
        try:
            await let_go.wait()
            return await made(conn, business, *given)
        finally:
            running_now.remove(business)

    running_now: list[int] = []
    monkeypatch.setattr(dry_run_handler, "dry_run", waits)
    monkeypatch.setattr(stream, "_TURN_WAIT_S", 0.3)
    app = create_app(ApiSettings(database_url=acting(database, "api")))
    texts = [
        (await keys.create(ledger, business_id=each, name="k", scopes=["transactions:send"])).text
        for each in (1, 2, 3)
    ]
    async with running(app) as url, Client(url) as client:

        async def started(business: int, count: int = 1) -> list[asyncio.Task[Any]]:
            asked = [
                asyncio.create_task(post(client, key=texts[business - 1], dry_run="1"))
                for _ in range(count)
            ]
            # Until each of them runs, waits for its turn, or is refused.
            async with asyncio.timeout(180):
                while (
                    running_now.count(business)
                    + app[DRY_RUNS].waiting(business)
                    + sum(each.done() for each in asked)
                    < count
                ):
                    await asyncio.sleep(0.01)
            return asked

        started.app, started.running, started.let_go = app, running_now, let_go  # type: ignore[attr-defined]
        yield started


async def test_a_business_has_one_at_a_time_and_all_have_two(slow: Any) -> None:
    first, *waiting = await slow(1, 3)
    [second] = await slow(2)
    [third] = await slow(3)
    assert sorted(slow.running) == [1, 2]
    # Those that wait hold no connection.
    assert slow.app[DATABASES]["main"].turns._free == 10 - 2
    for each in (*waiting, third):
        response, problem = await each
        assert (response.status, problem["type"]) == (503, "/problems/unavailable")
        assert int(response.headers["Retry-After"]) >= 1
    slow.let_go.set()
    for each in (first, second):
        assert (await each)[0].status == 200
    [again] = await slow(3)
    assert (await again)[0].status == 200
    assert slow.app[DRY_RUNS]._free == 2


async def test_it_ends_with_its_caller(slow: Any) -> None:
    [asked] = await slow(1)
    asked.cancel()
    for _ in range(100):
        if not slow.running:
            break
        await asyncio.sleep(0.1)
    assert slow.running == []
    slow.let_go.set()
    [again] = await slow(1)
    assert (await again)[0].status == 200


async def test_it_is_stopped_if_it_takes_too_long(
    slow: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dry_run_handler, "_S_MAX", 0.2)
    [asked] = await slow(1)
    response, problem = await asked
    assert response.status == 503
    assert problem["detail"] == (
        "The dry run took more than 0.2 seconds and was stopped. Use filters that select fewer"
        " customers."
    )
    assert slow.running == []
