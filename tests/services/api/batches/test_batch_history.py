"""The history of batches: its pages, its filters, and its bound on what is counted."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from services.api.batches import store
from services.api.batches.accept import MadeBy, accept
from services.api.core import paging
from tests.services.api.batches.calls import BATCHES, expanded, get
from tests.services.api.batches.requests import PERIOD, TERMS, accepted, wanted
from tests.services.api.sends.calls import Client

SCHEDULE = UUID(int=7)
NOON = datetime(2026, 3, 29, 12, tzinfo=UTC)


@pytest.fixture
async def batches(ledger: asyncpg.Connection) -> list[str]:
    """The ids of five batches of business 1, newest first, an hour apart."""
    await accepted(ledger, business=2)
    found = [await accepted(ledger, filter={"id": 4}) for _ in range(4)]
    occurrence = MadeBy(SCHEDULE, PERIOD.end)
    found.append(await accept(ledger, 1, wanted(), TERMS, schedule=occurrence))
    for hours, batch in enumerate(found):
        await ledger.execute(
            "UPDATE batches SET created_at = $2 WHERE id = $1",
            batch.id,
            NOON + timedelta(hours=hours),
        )
    return [str(batch.id) for batch in reversed(found)]


async def pages(api: Client, limit: int, **params: Any) -> list[list[str]]:
    found, cursor = [], {}
    while True:
        page = await get(api, BATCHES, limit=limit, **params, **cursor)
        found.append([batch["id"] for batch in page["data"]])
        if page["next_cursor"] is None:
            return found
        cursor = {"cursor": page["next_cursor"]}


@pytest.mark.parametrize("limit", [1, 2, 5, 200])
async def test_each_batch_is_on_one_page(api: Client, batches: list[str], limit: int) -> None:
    found = await pages(api, limit)
    assert [batch for page in found for batch in page] == batches
    assert len(found) == -(-5 // limit)


async def test_filters(api: Client, ledger: asyncpg.Connection, batches: list[str]) -> None:
    await ledger.execute("UPDATE batches SET phase = 'done' WHERE id = $1", batches[2])
    await ledger.execute(
        "UPDATE batches SET phase = 'scheduled' WHERE id = ANY($1::uuid[])", batches[3:]
    )
    await ledger.execute(
        "UPDATE batches SET send_at = now() + interval '1 h' WHERE id = $1", batches[4]
    )

    assert await pages(api, 1, status="done") == [[batches[2]]]
    assert await pages(api, 1, status="scheduled") == [[batches[4]]]
    # What is due is shown as what it becomes.
    assert await pages(api, 50, status="expanding") == [[batches[0], batches[1], batches[3]]]
    assert await pages(api, 50, status="failed") == [[]]
    assert await pages(api, 50, schedule_id=str(SCHEDULE)) == [[batches[0]]]
    assert await pages(api, 50, schedule_id=str(SCHEDULE), status="done") == [[]]
    assert await pages(api, 50, created_from="2026-03-29", created_to="2026-03-29") == [batches]
    assert await pages(api, 50, created_to="2026-03-28") == [[]]
    times = {"created_from": "2026-03-29T13:00:00Z", "created_to": "2026-03-29T14:00:00Z"}
    assert await pages(api, 1, **times) == [[batches[2]], [batches[3]]]


async def test_a_page_of_large_batches_is_short(
    api: Client, ledger: asyncpg.Connection, batches: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "_CUSTOMERS_OF_PAGE_MAX", 6)
    # The newest has five customers, and the others have one each.
    assert await pages(api, 50) == [batches[:2], batches[2:]]
    await ledger.execute("UPDATE batches SET customers = 1000")
    assert await pages(api, 50) == [[batch] for batch in batches]


async def test_a_page_of_long_messages_is_short(
    api: Client, ledger: asyncpg.Connection, batches: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "PAGE_BYTES_MAX", 100_000)
    message = "UPDATE batches SET personal_message = repeat('😀', $1)"
    await ledger.execute(message, 10_000)
    assert await pages(api, 50) == [batches[:2], batches[2:4], batches[4:]]
    await ledger.execute(message, 30_000)
    assert await pages(api, 50) == [[batch] for batch in batches]


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"status": "open"}, "status"),
        ({"schedule_id": "x"}, "schedule_id"),
        ({"created_from": "yesterday"}, "created_from"),
        ({"created_from": "2026-03-30", "created_to": "2026-03-29"}, "created_from"),
        ({"limit": "0"}, "limit"),
        ({"limit": "201"}, "limit"),
        ({"cursor": "x"}, "cursor"),
        ({"customer_id": "4"}, "customer_id"),
    ],
)
async def test_what_is_wrong_is_named(api: Client, params: dict[str, str], field: str) -> None:
    problem = await get(api, BATCHES, 422, **params)
    assert [each["field"] for each in problem["errors"]] == [field]


async def test_a_resend_is_of_no_batch(api: Client, ledger: asyncpg.Connection) -> None:
    batch = await accepted(ledger, filter={"id": 4}, skip_empty=False)
    await expanded(ledger, batch.id)
    [send] = (await get(api, batch.links.sends))["data"]
    digest = await ledger.fetchval(
        "INSERT INTO statements VALUES (1, sha256('{}'), '{}') RETURNING sha256"
    )
    await ledger.execute("UPDATE sends SET statement_sha256 = $1", digest)
    async with api.post(f"/api/v3/sends/{send['id']}/resend") as response:
        again = await response.json()
    assert (again["resend_of"], again["batch_id"]) == (send["id"], None)
    assert (await get(api, f"/api/v3/sends/{again['id']}"))["batch_id"] is None
    assert len((await get(api, batch.links.sends))["data"]) == 1
    assert await ledger.fetchval("SELECT count(batch_id) FROM deliveries") == 1
