"""What waits for notifications of Postgres connects again, and logs an outage once."""

import asyncio
from typing import Any

import asyncpg
import pytest

from services.api.relay import listener
from shared.db import postgres
from tests.logged import Logged


async def test_an_outage_of_any_length_is_two_lines(
    database: str, monkeypatch: pytest.MonkeyPatch, logged: Logged
) -> None:
    connect, refused = postgres.connect, 0

    async def away_at_first(*arguments: Any, **options: Any) -> asyncpg.Connection:
        nonlocal refused
        if refused < 40:
            refused += 1
            raise ConnectionRefusedError("away")
        return await connect(*arguments, **options)

    monkeypatch.setattr(postgres, "connect", away_at_first)
    monkeypatch.setattr(listener, "_AGAIN", 0.001)
    wake = asyncio.Event()
    listening = asyncio.create_task(listener.listen(database, {"ledgerpost_due": wake}))
    try:
        async with asyncio.timeout(180):
            await wake.wait()  # something may have been notified meanwhile
            wake.clear()
            db = await asyncpg.connect(database)
            await db.execute("NOTIFY ledgerpost_due")
            await wake.wait()
            await db.close()
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
    events = [line["event"] for line in logged() if line["logger"].startswith("ledgerpost.")]
    assert events == ["notifications_away", "notifications_away_over"]
