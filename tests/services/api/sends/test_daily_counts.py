"""Rows that only a quota limits are counted per business and day; repetitions are not."""

from typing import Any

import asyncpg
import pytest

from services.api.access import daily_counts
from tests.services.api.sends.calls import Client, post

SUPPRESSIONS = "/api/v3/suppressions"


async def suppress(api: Client, name: str, key: str | None = None) -> tuple[int, Any]:
    headers = {} if key is None else {"Idempotency-Key": key}
    body = {"email": f"{name}@x.example"}
    async with api.post(SUPPRESSIONS, json=body, headers=headers) as response:
        return response.status, (response.headers.get("Retry-After"), await response.json())


async def test_suppressions_of_a_day(
    api: Client, ledger: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(daily_counts.MOST, "suppressions", 2)
    assert [(await suppress(api, name))[0] for name in "abba"] == [201, 201, 200, 200]
    status, (retry_after, problem) = await suppress(api, "c")
    assert (status, problem["type"]) == (429, "/problems/over-quota")
    assert 0 < int(retry_after) <= 24 * 3600
    assert await ledger.fetchval("SELECT count(*) FROM suppressions") == 2
    await ledger.execute("UPDATE daily_counts SET day = day - 1")
    assert (await suppress(api, "c"))[0] == 201


async def test_keys_of_a_day_and_the_same_answer_to_the_same_request(
    api: Client, ledger: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(daily_counts.MOST, "idempotency keys", 3)
    _, send = await post(api, json={"send_at": "2030-01-01"}, headers={"Idempotency-Key": "send"})
    path = f"/api/v3/sends/{send['id']}/reschedule"

    async def reschedule(key: str, day: int) -> tuple[int, Any]:
        body = {"send_at": f"2030-01-{day:02}"}
        async with api.post(path, json=body, headers={"Idempotency-Key": key}) as response:
            return response.status, await response.json()

    first = [await reschedule(f"k{day}", day) for day in (2, 3, 4)]
    assert [status for status, _ in first] == [200] * 3
    assert (await reschedule("k5", 5))[0] == 429
    # Nothing of the refused one stays, and the others are answered as they were.
    assert [await reschedule(f"k{day}", day) for day in (2, 3, 4)] == first
    assert await ledger.fetchval("SELECT count(*) FROM idempotency_keys") == 4
    assert await ledger.fetchval("SELECT send_at::date::text FROM sends") == "2030-01-04"


async def test_new_days_of_sends(
    api: Client, ledger: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each leaves rows of its day behind, which are deleted only once the day is past."""
    monkeypatch.setitem(daily_counts.MOST, "times of sends", 2)
    _, send = await post(api, json={"send_at": "2030-01-01"})
    path = f"/api/v3/sends/{send['id']}/reschedule"

    async def reschedule(moment: str) -> int:
        async with api.post(path, json={"send_at": moment}) as response:
            return response.status

    later = [f"2030-01-{day:02}" for day in (2, 3, 4)]
    assert [await reschedule(day) for day in later] == [200, 200, 429]
    assert await ledger.fetchval("SELECT count(*) FROM due_recipients") == 3
    assert await reschedule("2030-01-03T12:00:00Z") == 200, "the same day costs nothing"
    assert await ledger.fetchval("SELECT send_at::date::text FROM sends") == "2030-01-03"
    await ledger.execute("UPDATE daily_counts SET day = day - 1")
    assert await reschedule("2030-01-04") == 200
