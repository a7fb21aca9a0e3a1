"""From one request for many customers to a mail for each of them."""

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from typing import Any

from tests.journeys.conftest import System

CUSTOMERS = range(100, 160)
_CUSTOMERS = """
INSERT INTO customers (business_id, id, owner_id, business_email, opening_balance)
SELECT 1, n, 1, CASE WHEN n % 10 > 0 THEN 'c' || n || '@many.example.com' END, n % 7
FROM generate_series(100, 159) n
"""


async def ask(system: System, **body: Any) -> dict[str, Any]:
    """Ask for the statements of November 2024 of all these customers."""
    async with system.http.post(
        "/api/v3/reports/customers/transactions/send",
        params={"from": "2024-11-01", "to": "2024-11-30"},
        json={"filter": {"id": list(CUSTOMERS)}, **body},
    ) as response:
        assert response.status == 202, await response.text()
        answer: dict[str, Any] = await response.json()
        return answer


async def get(system: System, path: str) -> dict[str, Any]:
    async with system.http.get(path) as response:
        assert response.status == 200, await response.text()
        answer: dict[str, Any] = await response.json()
        return answer


async def done(system: System, batch: dict[str, Any]) -> dict[str, Any]:
    """Follow a batch until it ends."""
    async with asyncio.timeout(180):
        while (seen := await get(system, batch["links"]["self"]))["status"] != "done":
            await asyncio.sleep(0.1)
    return seen


async def test_every_customer_is_mailed_once_or_skipped_with_a_reason(system: System) -> None:
    await system.db.execute(_CUSTOMERS)
    expected = {n for n in CUSTOMERS if n % 10 > 0 and n % 7 >= 2}
    async with AsyncExitStack() as stack:
        for _ in range(2):
            await stack.enter_async_context(system.relay())
        await stack.enter_async_context(system.mailer())
        batch = await ask(system, message="Good morning", min_balance=2)
        assert (batch["status"], batch["progress"]["customers"]) == ("expanding", 60)
        seen = await done(system, batch)
    received = Counter(mail.recipient for mail in system.judge.accepted)
    assert received == {f"c{number}@many.example.com": 1 for number in expected}
    assert seen["counts"] == {"sent": len(expected)}
    assert seen["progress"] == {
        "customers": 60,
        "expanded": 60,
        "sends": len(expected),
        "finished": len(expected),
    }
    reasons = {
        n: "no_address" if n % 10 == 0 else "statement_empty" if n % 7 == 0 else "balance_too_small"
        for n in set(CUSTOMERS) - expected
    }
    listed = await get(system, batch["links"]["skipped"] + "?limit=100")
    assert {row["customer_id"]: row["reason_code"] for row in listed["data"]} == reasons
    assert seen["skipped"] == Counter(reasons.values())
    mail = system.judge.accepted[0].message
    assert "Good morning" in mail.get_body(("plain",)).get_content()
    sends = await get(system, batch["links"]["sends"] + "?limit=100")
    assert {row["batch_id"] for row in sends["data"]} == {batch["id"]}


async def test_nobody_is_mailed_during_a_pause_and_everybody_after_it(system: System) -> None:
    await system.db.execute(_CUSTOMERS)
    await system.db.execute("INSERT INTO pauses (business_id) VALUES (1)")
    async with system.relay(), system.mailer():
        batch = await ask(system, skip_empty=False)
        async with asyncio.timeout(180):
            while (seen := await get(system, batch["links"]["self"]))["status"] == "expanding":
                await asyncio.sleep(0.1)
        assert (seen["status"], seen["paused"]) == ("sending", True)
        assert seen["counts"] == {"scheduled": 54}
        await asyncio.sleep(1)
        assert system.judge.accepted == []
        await system.db.execute("DELETE FROM pauses; NOTIFY ledgerpost_due")
        await done(system, batch)
    assert len(system.judge.accepted) == 54
