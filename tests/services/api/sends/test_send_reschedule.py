import asyncio
from datetime import UTC, date, datetime, timedelta

import asyncpg
import pytest

from services.api.core.refusals import NotFound
from services.api.core.uuid7 import uuid7
from services.api.sends import store
from services.api.sends.changes import NothingToReschedule, reschedule
from shared.deliveries import relay, worker
from shared.deliveries.states import State
from tests.services.api.sends.calls import Client, post
from tests.services.api.sends.stored import TERMS, put, send

LEASE = timedelta(seconds=30)
LATER = datetime(2031, 5, 1, 9, 30, tzinfo=UTC)
MOVABLE = {
    State.SCHEDULED: State.SCHEDULED,
    State.QUEUED: State.SCHEDULED,
    State.DEFERRED: State.DEFERRED,
}


async def frozen(conn: asyncpg.Connection, send_id: object) -> None:
    await conn.execute(
        """WITH kept AS (INSERT INTO statements VALUES (1, sha256('x'), '{}') RETURNING sha256)
           UPDATE sends SET statement_sha256 = kept.sha256 FROM kept WHERE id = $1""",
        send_id,
    )


@pytest.mark.parametrize("state", State)
async def test_only_what_waits_moves(ledger: asyncpg.Connection, state: State) -> None:
    send_id = await send(ledger, others=1, at="2030-01-01")
    await put(ledger, send_id, state, State.SENT)
    before = await ledger.fetchrow("SELECT * FROM deliveries WHERE position = 1")
    if state in MOVABLE:
        shown = await reschedule(ledger, 1, send_id, LATER, TERMS)
        assert (shown.send_at, shown.expires_at) == (LATER, LATER + TERMS.max_lateness)
        row = await ledger.fetchrow("SELECT * FROM deliveries WHERE position = 1")
        assert (row["state"], row["lease_until"]) == (MOVABLE[state], None)
        assert (row["due_at"], row["expires_at"]) == (LATER, LATER + TERMS.max_lateness)
    else:
        with pytest.raises(NothingToReschedule):
            await reschedule(ledger, 1, send_id, LATER, TERMS)
        assert await ledger.fetchrow("SELECT * FROM deliveries WHERE position = 1") == before
        assert (await store.one(ledger, 1, send_id)).send_at.year == 2030
    other = await ledger.fetchrow("SELECT * FROM deliveries WHERE position = 2")
    assert (other["state"], other["due_at"].year) == ("sent", 2030)


async def test_what_was_tried_before_is_still_an_attempt_to_come(
    ledger: asyncpg.Connection,
) -> None:
    send_id = await send(ledger)
    await put(ledger, send_id, State.QUEUED)
    await ledger.execute("UPDATE deliveries SET attempts = 2")
    shown = await reschedule(ledger, 1, send_id, LATER, TERMS)
    assert (shown.recipients[0].state, shown.recipients[0].attempts) == ("deferred", 2)


async def test_a_day_begins_in_the_timezone_of_the_business_and_the_past_is_now(
    ledger: asyncpg.Connection,
) -> None:
    send_id = await send(ledger, at="2030-01-01")
    await ledger.execute("UPDATE businesses SET timezone = 'America/New_York' WHERE id = 1")
    shown = await reschedule(ledger, 1, send_id, date(2031, 1, 1), TERMS)
    assert shown.send_at == datetime(2031, 1, 1, 5, tzinfo=UTC)
    before: datetime = await ledger.fetchval("SELECT now()")
    shown = await reschedule(ledger, 1, send_id, date(2001, 1, 1), TERMS)
    assert before <= shown.send_at <= await ledger.fetchval("SELECT now()")
    assert shown.status == "sending"


async def test_a_foreign_or_unknown_send_is_not_rescheduled(ledger: asyncpg.Connection) -> None:
    send_id = await send(ledger, at="2030-01-01")
    for business, identity in ((2, send_id), (1, uuid7())):
        with pytest.raises(NotFound):
            await reschedule(ledger, business, identity, LATER, TERMS)
    assert (await store.one(ledger, 1, send_id)).send_at.year == 2030


async def test_a_wakeup_of_a_row_that_was_put_off_finds_nothing_to_claim(
    ledger: asyncpg.Connection,
) -> None:
    send_id = await send(ledger)
    await frozen(ledger, send_id)
    [delivery] = (await relay.enqueue(ledger, 10, LEASE)).queued
    await reschedule(ledger, 1, send_id, LATER, TERMS)
    await relay.confirm(ledger, [delivery])
    assert await worker.claim(ledger, [delivery], LEASE) == {}
    assert await relay.reemit(ledger, 10, LEASE, queue_is_empty=True) == []
    assert await ledger.fetchval("SELECT state FROM deliveries") == "scheduled"
    await reschedule(ledger, 1, send_id, date(2001, 1, 1), TERMS)
    assert (await relay.enqueue(ledger, 10, LEASE)).queued == [delivery]
    assert delivery in await worker.claim(ledger, [delivery], LEASE)


async def test_a_worker_and_a_reschedule_exclude_each_other(
    database: str, ledger: asyncpg.Connection
) -> None:
    send_id = await send(ledger)
    await frozen(ledger, send_id)
    [delivery] = (await relay.enqueue(ledger, 10, LEASE)).queued
    other = await asyncpg.connect(database)
    try:
        async with other.transaction():
            assert delivery in await worker.claim(other, [delivery], LEASE)
            moving = asyncio.create_task(reschedule(ledger, 1, send_id, LATER, TERMS))
            await other.execute("SELECT pg_sleep(0.2)")
            assert not moving.done()
        with pytest.raises(NothingToReschedule):
            await moving
    finally:
        await other.close()
    assert await ledger.fetchval("SELECT state FROM deliveries") == "sending"


async def test_the_dispatcher_and_a_reschedule_in_either_order(
    database: str, ledger: asyncpg.Connection
) -> None:
    send_id = await send(ledger)
    await frozen(ledger, send_id)
    other = await asyncpg.connect(database)
    try:
        async with other.transaction():
            [delivery] = (await relay.enqueue(other, 10, LEASE)).queued
            moving = asyncio.create_task(reschedule(ledger, 1, send_id, LATER, TERMS))
            await other.execute("SELECT pg_sleep(0.2)")
        assert (await moving).recipients[0].state == "scheduled"
        assert await worker.claim(ledger, [delivery], LEASE) == {}
        await reschedule(ledger, 1, send_id, date(2001, 1, 1), TERMS)
        async with ledger.transaction():
            await reschedule(ledger, 1, send_id, LATER, TERMS)
            assert (await relay.enqueue(other, 10, LEASE)).moved == 0
        assert (await relay.enqueue(other, 10, LEASE)).moved == 0
    finally:
        await other.close()


async def test_over_http(api: Client) -> None:
    _, answer = await post(api, json={"send_at": "2030-01-01"})
    path = f"/api/v3/sends/{answer['id']}/reschedule"
    async with api.post(path, json={"send_at": "2031-05-01T09:30:00Z"}) as response:
        assert response.status == 200
        moved = await response.json()
    assert (moved["send_at"], moved["status"]) == ("2031-05-01T09:30:00.000000Z", "scheduled")
    assert moved["expires_at"] == "2031-05-04T09:30:00.000000Z"
    assert moved["recipients"][0]["next_attempt_at"] == moved["send_at"]
    for body in ({}, {"send_at": None}, {"send_at": "soon"}, {"send_at": "2031-05-01T09:30:00"}):
        async with api.post(path, json=body) as response:
            assert response.status == 422
            assert [e["field"] for e in (await response.json())["errors"]] == ["send_at"]
    async with api.post(f"/api/v3/sends/{answer['id']}/cancel") as response:
        assert response.status == 200
    async with api.post(path, json={"send_at": "2031-05-01"}) as response:
        assert response.status == 409
        assert response.content_type == "application/problem+json"
