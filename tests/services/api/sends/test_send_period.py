"""Sends over a period in one word, over HTTP and over the queue."""

import json
from datetime import date
from typing import Any

import asyncpg
import pytest

from services.api.access.admission import Admission
from services.api.access.model import Key
from services.api.intake import act
from tests.services.api.sends.calls import PATHS, Client, post, refused
from tests.services.api.sends.stored import TERMS

WORD = {"period": "2024-11"}


def days(send: dict[str, Any]) -> tuple[str, str]:
    return send["from"], send["to"]


@pytest.mark.parametrize("path", PATHS)
async def test_a_word_means_the_days_of_the_answer(api: Client, path: str) -> None:
    response, send = await post(api, path=path, params=WORD)
    assert response.status == 202
    assert days(send) == ("2024-11-01", "2024-11-30")
    located = f"{path.format(4)}?from=2024-11-01&to=2024-11-30"
    assert response.headers["Content-Location"] == located
    response, _ = await post(api, path=path)
    assert "Content-Location" not in response.headers


async def test_a_word_is_resolved_once(api: Client, ledger: asyncpg.Connection) -> None:
    """A repetition gets the days of the first request, even if the word means others by then."""
    headers = {"Idempotency-Key": "order-1"}
    first, send = await post(api, params={"period": "fy"}, headers=headers)
    await ledger.execute("UPDATE businesses SET fiscal_year_start = '07-15'")
    again, repeated = await post(api, params={"period": "fy"}, headers=headers)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert repeated == send
    assert again.headers["Content-Location"] == first.headers["Content-Location"]
    today = await ledger.fetchval("SELECT current_date")
    assert days(send) == (f"{today.year}-01-01", f"{today.year}-12-31")
    _, other = await post(api, params={"period": "fy"})
    assert days(other) != days(send)
    response, _ = await post(api, params={"period": "last-fy"}, headers=headers)
    assert response.status == 409


@pytest.mark.parametrize(
    ("params", "fields"),
    [
        ({"period": "tomorrow"}, {"period"}),
        ({"period": "2025-W53"}, {"period"}),
        ({"period": "year-9999"}, {"period"}),
        ({"period": "x" * 4000}, {"period"}),
        ({"period": ""}, {"from", "to"}),
        ({**WORD, "from": "2024-11-01"}, {"from"}),
        ({**WORD, "to": "no day"}, {"to"}),
        ({**WORD, "from": "2024-11-01", "to": "2024-11-30"}, {"from", "to"}),
        ([("period", "ytd"), ("period", "mtd")], {"period"}),
    ],
)
async def test_what_is_no_period_is_named(api: Client, params: Any, fields: set[str]) -> None:
    assert await refused(api, params=params) == fields


async def test_the_day_is_that_of_the_business(api: Client, ledger: asyncpg.Connection) -> None:
    zones = ("Pacific/Kiritimati", "Etc/GMT+12")  # 26 hours apart
    seen = set()
    for zone in zones:
        await ledger.execute("UPDATE businesses SET timezone = $1 WHERE id = 1", zone)
        _, send = await post(api, params={"period": "today"})
        expected = await ledger.fetchval(
            "SELECT ($1::text::timestamptz AT TIME ZONE $2)::date", send["created_at"], zone
        )
        assert days(send) == (str(expected), str(expected))
        seen.add(date.fromisoformat(send["from"]))
    assert len(seen) == 2


def requested(key: Key, number: int = 1, **data: Any) -> act.Asked:
    event = {
        "specversion": "1.0",
        "id": str(number),
        "source": "/crm",
        "type": "com.ledgerpost.send-request.v1",
        "data": {"customer_id": 4, **data},
    }
    return act.Asked(json.dumps(event).encode(), [f"Bearer {key.text}"])


async def test_a_message_may_have_a_word_too(ledger: asyncpg.Connection, key: Key) -> None:
    asked = requested(key, period="fy")
    first = await act.answer(ledger, asked, TERMS, Admission(6000))
    assert first.problem is None
    await ledger.execute("UPDATE businesses SET fiscal_year_start = '07-15'")
    again = await act.answer(ledger, asked, TERMS, Admission(6000))
    assert again.event == first.event
    today = await ledger.fetchval("SELECT current_date")
    assert days(json.loads(first.event)["data"]) == (f"{today.year}-01-01", f"{today.year}-12-31")
    assert await ledger.fetchval("SELECT count(*) FROM sends") == 1


@pytest.mark.parametrize(
    ("data", "fields"),
    [
        ({}, {"from", "to"}),
        ({"period": "tomorrow"}, {"period"}),
        ({"period": None}, {"period"}),
        ({"period": 2024}, {"period"}),
        ({"period": "ytd", "from": "2024-11-01"}, {"from"}),
    ],
)
async def test_a_message_without_a_period_is_refused(
    ledger: asyncpg.Connection, key: Key, data: dict[str, Any], fields: set[str]
) -> None:
    answer = await act.answer(ledger, requested(key, **data), TERMS, Admission(6000))
    assert answer.problem is not None
    assert {each.field for each in answer.problem.errors} == fields
