import asyncio

import asyncpg
import pytest

from services.api.core.refusals import NotFound
from services.api.core.uuid7 import uuid7
from services.api.sends import store
from services.api.sends.changes import NothingToCancel, cancel
from shared.deliveries.states import SETTLED, State
from tests.services.api.sends.stored import put, send


@pytest.mark.parametrize("state", State)
async def test_only_what_has_not_passed_the_gate_is_cancelled(
    ledger: asyncpg.Connection, state: State
) -> None:
    send_id = await send(ledger, others=1, at="2030-01-01")
    await put(ledger, send_id, state, State.SENT)
    if state in (State.COMMITTING, *SETTLED):
        with pytest.raises(NothingToCancel):
            await cancel(ledger, 1, send_id)
        after = state
    else:
        shown = await cancel(ledger, 1, send_id)
        assert [each.state for each in shown.recipients] == ["cancelled", "sent"]
        assert shown.status == "partly_failed"
        after = State.CANCELLED
    rows = await ledger.fetch("SELECT state, lease_until FROM deliveries ORDER BY position")
    assert [row["state"] for row in rows] == [after, State.SENT]
    events = "SELECT count(*) FROM delivery_events WHERE state = 'cancelled'"
    assert await ledger.fetchval(events) == (after == State.CANCELLED)


async def test_a_foreign_or_unknown_send_is_neither_shown_nor_cancelled(
    ledger: asyncpg.Connection,
) -> None:
    send_id = await send(ledger)
    for business, identity in ((2, send_id), (1, uuid7())):
        with pytest.raises(NotFound):
            await store.one(ledger, business, identity)
        with pytest.raises(NotFound):
            await cancel(ledger, business, identity)
    assert await ledger.fetchval("SELECT state FROM deliveries") == "scheduled"


async def test_the_gate_and_a_cancellation_exclude_each_other(
    database: str, ledger: asyncpg.Connection
) -> None:
    send_id = await send(ledger)
    await put(ledger, send_id, State.SENDING)
    worker = await asyncpg.connect(database)
    try:
        async with worker.transaction():
            await worker.execute("UPDATE deliveries SET state = 'committing'")
            cancelling = asyncio.create_task(cancel(ledger, 1, send_id))
            await worker.execute("SELECT pg_sleep(0.2)")
        with pytest.raises(NothingToCancel):
            await cancelling
    finally:
        await worker.close()
    assert await ledger.fetchval("SELECT state FROM deliveries") == "committing"
