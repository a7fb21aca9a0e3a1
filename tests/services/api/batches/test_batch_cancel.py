"""Cancelling a batch: whatever has not been handed over stays here, at every moment of its way."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import asyncpg
import pytest

from services.api.batches import cancel as cancelling
from services.api.batches import store
from services.api.batches.accept import MadeBy, accept
from services.api.batches.cancel import NothingToCancel, cancel, go_on_with_left
from services.api.batches.expand import expand, take
from services.api.batches.model import Batch
from services.api.core.refusals import NotFound, OverQuota
from services.api.core.uuid7 import uuid7
from shared.deliveries.states import SETTLED, State
from tests.services.api.batches.calls import expanded
from tests.services.api.batches.requests import PERIOD, TERMS, accepted, wanted
from tests.services.api.locks import blocked

MANY = 12  # customers with an address
_CUSTOMERS = """
INSERT INTO customers (business_id, id, owner_id, business_email)
SELECT 1, n, 1, 'c' || n || '@x.com' FROM generate_series(101, 100 + $1::integer) n
"""
_STATES = "SELECT state, count(*) FROM deliveries GROUP BY state"
_PHASE = "SELECT phase FROM batches WHERE id = $1"


@pytest.fixture
async def batch(ledger: asyncpg.Connection) -> Batch:
    await ledger.execute("DELETE FROM customers")
    await ledger.execute(_CUSTOMERS, MANY)
    return await accepted(ledger, skip_empty=False)


@pytest.fixture
async def other(database: str) -> AsyncIterator[asyncpg.Connection]:
    """Another process: a relay or a worker."""
    conn = await asyncpg.connect(database)
    yield conn
    await conn.close()


async def states(conn: asyncpg.Connection) -> dict[str, int]:
    return {row["state"]: row["count"] for row in await conn.fetch(_STATES)}


async def put(conn: asyncpg.Connection, state: State, most: int) -> None:
    """Bring so many scheduled mails into a state."""
    await conn.execute(
        """UPDATE deliveries SET state = $1, lease_until = now() + interval '1 h',
                                 sent_at = CASE WHEN $1 = 'sent' THEN now() END
           WHERE id IN (
               SELECT id FROM deliveries WHERE state = 'scheduled' ORDER BY id LIMIT $2)""",
        state,
        most,
    )


async def test_customers_that_wait_are_not_mailed(ledger: asyncpg.Connection, batch: Batch) -> None:
    await cancel(ledger, 1, batch.id)

    async with ledger.transaction():
        assert await take(ledger, -1) is None
    assert await states(ledger) == {}
    assert await ledger.fetchval(_PHASE, batch.id) == "cancelled"
    # Nothing of it was mailed, so the day has its whole quota again.
    assert await ledger.fetchval("SELECT sum(used) FROM due_recipients") == 0
    # But whoever asks and cancels over and over again stores more and more: that is bounded.
    assert await ledger.fetchval("SELECT sum(used) FROM daily_recipients") == MANY


async def test_to_ask_and_cancel_over_again_ends_at_the_quota_of_a_day(
    ledger: asyncpg.Connection, batch: Batch
) -> None:
    terms = replace(TERMS, daily_quota=MANY)
    await cancel(ledger, 1, batch.id)
    for _ in range(3):
        await cancel(ledger, 1, (await accepted(ledger, terms)).id)
    with pytest.raises(OverQuota, match=f"{4 * MANY} recipients accepted"):
        await accepted(ledger, terms)


@pytest.mark.parametrize("state", State)
async def test_only_what_has_not_passed_the_gate_is_cancelled(
    ledger: asyncpg.Connection, batch: Batch, state: State
) -> None:
    await expanded(ledger, batch.id)
    await put(ledger, state, 3)
    await cancel(ledger, 1, batch.id)

    stays = state in (State.COMMITTING, *SETTLED) and state != State.CANCELLED
    expected = {state: 3, "cancelled": MANY - 3} if stays else {"cancelled": MANY}
    assert await states(ledger) == expected
    assert await ledger.fetchval("SELECT count(*) FROM deliveries WHERE reason_code IS NULL") == (
        3 if stays or state == State.CANCELLED else 0
    )


async def test_a_step_of_the_expansion_that_runs_is_cancelled_with_it(
    ledger: asyncpg.Connection, other: asyncpg.Connection, batch: Batch
) -> None:
    async with other.transaction():
        taken = await take(other, -1)
        assert taken is not None
        await expand(other, taken, TERMS)
        task = asyncio.create_task(cancel(ledger, 1, batch.id))
        await blocked(ledger, other)
    await task

    assert await states(other) == {"cancelled": MANY}
    assert await other.fetchval(_PHASE, batch.id) == "cancelled"


async def test_a_batch_that_ends_at_this_moment_is_not_cancelled(
    ledger: asyncpg.Connection, other: asyncpg.Connection, batch: Batch
) -> None:
    async with other.transaction():
        await other.execute("UPDATE batches SET phase = 'done'")
        task = asyncio.create_task(cancel(ledger, 1, batch.id))
        await blocked(ledger, other)
    with pytest.raises(NothingToCancel):
        await task
    assert await other.fetchval(_PHASE, batch.id) == "done"


async def test_mails_on_their_way_into_the_queue_are_cancelled(
    ledger: asyncpg.Connection, other: asyncpg.Connection, batch: Batch
) -> None:
    await expanded(ledger, batch.id)
    async with other.transaction():
        await put(other, State.QUEUED, 5)
        task = asyncio.create_task(cancel(ledger, 1, batch.id))
        await blocked(ledger, other)
    await task

    assert await states(other) == {"cancelled": MANY}


async def test_the_gate_and_a_cancel_exclude_each_other(
    ledger: asyncpg.Connection, other: asyncpg.Connection, batch: Batch
) -> None:
    await expanded(ledger, batch.id)
    await put(ledger, State.SENDING, 4)
    async with other.transaction():
        await other.execute(
            """UPDATE deliveries SET state = 'committing'
               WHERE id IN (SELECT id FROM deliveries WHERE state = 'sending' LIMIT 1)"""
        )
        task = asyncio.create_task(cancel(ledger, 1, batch.id))
        await blocked(ledger, other)
    await task

    assert await states(other) == {"committing": 1, "cancelled": MANY - 1}


async def test_a_cancel_goes_through_all_mails_in_steps(
    ledger: asyncpg.Connection, batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    await expanded(ledger, batch.id)
    await put(ledger, State.SENT, 1)
    await put(ledger, State.DEFERRED, 3)
    await put(ledger, State.SENDING, 3)
    monkeypatch.setattr(cancelling, "_STEP", 2)
    await cancel(ledger, 1, batch.id)

    assert await states(ledger) == {"sent": 1, "cancelled": MANY - 1}
    # Those that would go out first were cancelled by the first two steps.
    order = await ledger.fetch(
        """SELECT e.delivery_id IN (SELECT delivery_id FROM delivery_events WHERE state = 'sending')
           FROM delivery_events e WHERE e.state = 'cancelled' ORDER BY e.id"""
    )
    assert sum(was_sending for (was_sending,) in order[:4]) == 3
    assert not await ledger.fetchval("SELECT is_cancelling FROM batches")


async def test_a_cancel_that_was_left_is_finished(
    ledger: asyncpg.Connection, batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    await expanded(ledger, batch.id)

    async def die(*_: object) -> None:
        raise ConnectionError

    monkeypatch.setattr(cancelling, "_STEP", 2)
    with monkeypatch.context() as patch:
        patch.setattr(cancelling, "_go_on", die)
        with pytest.raises(ConnectionError):
            await cancel(ledger, 1, batch.id)
    assert await states(ledger) == {"cancelled": 2, "scheduled": MANY - 2}

    # Its process may still be at it.
    assert not await go_on_with_left(ledger)
    await ledger.execute("UPDATE batches SET updated_at = updated_at - interval '16 s'")
    assert await go_on_with_left(ledger)
    assert await states(ledger) == {"cancelled": MANY}
    assert not await go_on_with_left(ledger)


async def test_a_mail_that_is_refused_for_now_after_a_cancel_is_not_tried_again(
    ledger: asyncpg.Connection, batch: Batch
) -> None:
    await expanded(ledger, batch.id)
    await put(ledger, State.COMMITTING, 2)
    await cancel(ledger, 1, batch.id)
    assert await states(ledger) == {"committing": 2, "cancelled": MANY - 2}

    await ledger.execute("UPDATE deliveries SET state = 'deferred' WHERE state = 'committing'")
    await ledger.execute("UPDATE batches SET updated_at = updated_at - interval '16 s'")
    assert await go_on_with_left(ledger)
    assert await states(ledger) == {"cancelled": MANY}
    assert not await ledger.fetchval("SELECT is_cancelling FROM batches")


async def test_to_cancel_twice_changes_nothing(ledger: asyncpg.Connection, batch: Batch) -> None:
    await expanded(ledger, batch.id)
    await cancel(ledger, 1, batch.id)
    events = await ledger.fetchval("SELECT count(*) FROM delivery_events")
    await cancel(ledger, 1, batch.id)

    assert await ledger.fetchval("SELECT count(*) FROM delivery_events") == events
    told = "SELECT count(*) FROM business_events WHERE type = 'batch.cancelled'"
    assert await ledger.fetchval(told) == 1


async def test_two_cancels_at_once(
    ledger: asyncpg.Connection, other: asyncpg.Connection, batch: Batch
) -> None:
    await expanded(ledger, batch.id)
    await asyncio.gather(cancel(ledger, 1, batch.id), cancel(other, 1, batch.id))
    assert await states(ledger) == {"cancelled": MANY}


@pytest.mark.parametrize("phase", ["done", "sending", "failed"])
async def test_what_is_over_is_not_cancelled(
    ledger: asyncpg.Connection, batch: Batch, phase: str
) -> None:
    await expanded(ledger, batch.id)
    await put(ledger, State.SENT, MANY)
    await ledger.execute("UPDATE batches SET phase = $1", phase)
    with pytest.raises(NothingToCancel):
        await cancel(ledger, 1, batch.id)
    assert await ledger.fetchval(_PHASE, batch.id) == phase


async def test_the_mails_of_a_batch_that_failed_are_cancelled(
    ledger: asyncpg.Connection, batch: Batch
) -> None:
    await expanded(ledger, batch.id)
    await ledger.execute(
        "UPDATE batches SET phase = 'failed', reason = 'why', reason_code = 'unclassified'"
    )
    assert (await store.one(ledger, 1, batch.id)).links.cancel is not None
    await cancel(ledger, 1, batch.id)
    assert await states(ledger) == {"cancelled": MANY}
    after = await store.one(ledger, 1, batch.id)
    assert (after.status, after.reason, after.reason_code) == ("failed", "why", "unclassified")
    assert after.links.cancel is None


async def test_an_occurrence_that_waits_for_quota_is_cancelled(
    ledger: asyncpg.Connection, batch: Batch
) -> None:
    occurrence = MadeBy(uuid7(), PERIOD.end)
    small = replace(TERMS, daily_quota=1)
    waiting = await accept(ledger, 1, wanted(), small, schedule=occurrence)
    assert waiting.status == "waiting"
    await cancel(ledger, 1, waiting.id)

    row = await ledger.fetchrow(
        "SELECT phase, reason, reason_code FROM batches WHERE id = $1", waiting.id
    )
    assert tuple(row or ()) == ("cancelled", None, None)
    assert await ledger.fetchval("SELECT sum(used) FROM due_recipients") == MANY


async def test_a_foreign_or_unknown_batch_is_not_cancelled(
    ledger: asyncpg.Connection, batch: Batch
) -> None:
    for business, identity in ((2, batch.id), (1, uuid7())):
        with pytest.raises(NotFound):
            await cancel(ledger, business, identity)
    assert await ledger.fetchval(_PHASE, batch.id) == "expanding"
