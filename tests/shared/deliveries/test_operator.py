"""Transitions by operators, concurrently with all others."""

import asyncio
from uuid import UUID

import asyncpg
import pytest

from shared.deliveries import operator, relay, worker
from shared.deliveries.events import unpublished
from shared.deliveries.operator import Resolution
from shared.deliveries.states import State
from shared.deliveries.worker import Claim, Verdict
from tests.shared.deliveries.conftest import LEASE, submit

A, B, C = "a@x.example", "b@x.example", "c@x.example"


async def claimed(conn: asyncpg.Connection) -> Claim:
    ids = await submit(conn, [A])
    await relay.enqueue(conn, 100, LEASE)
    return (await worker.claim(conn, ids, LEASE))[ids[0]]


async def doubted(conn: asyncpg.Connection) -> Claim:
    """Return the claim of a worker that passed the gate and was then given up by the sweeper."""
    claim = await claimed(conn)
    await worker.gate(conn, [claim], LEASE)
    await conn.execute("UPDATE deliveries SET lease_until = now() - interval '1s'")
    await relay.sweep(conn, 10)
    return claim


async def states(conn: asyncpg.Connection) -> list[str]:
    rows = await conn.fetch("SELECT state FROM deliveries ORDER BY created_at, position")
    return [row["state"] for row in rows]


@pytest.mark.parametrize(
    ("resolution", "state"), [("sent", "sent"), ("resend", "deferred"), ("failed", "failed")]
)
async def test_a_resolved_row_is_not_for_a_late_reply_to_decide(
    conn: asyncpg.Connection, resolution: Resolution, state: str
) -> None:
    claim = await doubted(conn)
    doubt_since = await conn.fetchval("SELECT updated_at FROM deliveries")
    assert await operator.resolve(conn, claim.id, resolution) == claim.send_id
    for verdict in (State.SENT, State.FAILED, State.DEFERRED, State.IN_DOUBT):
        assert await worker.record(conn, [Verdict(claim, verdict)]) == set()
    assert await worker.gate(conn, [claim], LEASE) == set()
    row = await conn.fetchrow("SELECT * FROM deliveries")
    assert (row["state"], row["attempts"]) == (state, 1)
    assert row["reason"].startswith("in doubt, and then")
    assert row["sent_at"] == (doubt_since if state == "sent" else None)
    async with conn.transaction():
        events = [event.data.state for event in await unpublished(conn, 10)]
    assert events[-2:] == ["in_doubt", state]


async def test_a_row_is_resolved_once_and_only_in_doubt(conn: asyncpg.Connection) -> None:
    claim = await claimed(conn)
    assert await operator.resolve(conn, claim.id, "sent") is None
    await worker.gate(conn, [claim], LEASE)
    assert await operator.resolve(conn, claim.id, "sent") is None
    await worker.record(conn, [Verdict(claim, State.IN_DOUBT)])
    assert await operator.resolve(conn, claim.id, "sent", business_id=2) is None
    assert await operator.resolve(conn, claim.id, "sent", business_id=1) == claim.send_id
    assert await operator.resolve(conn, claim.id, "failed", business_id=1) is None
    assert await states(conn) == ["sent"]


async def test_a_resend_goes_out_however_late_the_person_came(conn: asyncpg.Connection) -> None:
    claim = await doubted(conn)
    await conn.execute("UPDATE deliveries SET expires_at = now() - interval '1 day'")
    await operator.resolve(conn, claim.id, "resend")
    assert (await relay.enqueue(conn, 10, LEASE)).queued == [claim.id]
    again = (await worker.claim(conn, [claim.id], LEASE))[claim.id]
    assert await worker.gate(conn, [again], LEASE) == {again.key}
    assert again.token > claim.token


@pytest.mark.parametrize("first", ["person", "reply"])
async def test_a_person_and_a_late_reply_exclude_each_other(
    database: str, conn: asyncpg.Connection, first: str
) -> None:
    claim = await doubted(conn)
    late = [Verdict(claim, State.SENT, "250 late")]
    other = await asyncpg.connect(database)
    try:
        async with other.transaction():
            if first == "person":
                await operator.resolve(other, claim.id, "failed")
                second = asyncio.create_task(worker.record(conn, late))
            else:
                await worker.record(other, late)
                second = asyncio.create_task(operator.resolve(conn, claim.id, "failed"))
            await other.execute("SELECT pg_sleep(0.2)")
            assert not second.done()
        assert not await second
    finally:
        await other.close()
    assert await states(conn) == ["failed" if first == "person" else "sent"]


async def test_a_late_reply_and_a_person_at_once_agree_on_one(
    database: str, conn: asyncpg.Connection
) -> None:
    claim = await doubted(conn)
    other = await asyncpg.connect(database)
    try:
        decided, resolved = await asyncio.gather(
            worker.record(other, [Verdict(claim, State.SENT, "250 late")]),
            operator.resolve(conn, claim.id, "failed"),
        )
    finally:
        await other.close()
    assert bool(decided) != bool(resolved)
    assert await states(conn) == ["sent" if decided else "failed"]


@pytest.mark.parametrize("business", [1, None])
async def test_paused_rows_stay_and_nobody_is_called_for_them(
    conn: asyncpg.Connection, business: int | None
) -> None:
    [delivery] = await submit(conn, [A])
    await operator.pause(conn, business)
    await operator.pause(conn, business)
    assert (await relay.enqueue(conn, 10, LEASE)).moved == 0
    assert await relay.next_due(conn) is None
    assert [each.business_id for each in await operator.pauses(conn)] == [business]
    assert await operator.resume(conn, business)
    assert not await operator.resume(conn, business)
    assert (await relay.enqueue(conn, 10, LEASE)).queued == [delivery]


async def test_a_paused_send_is_not_frozen(conn: asyncpg.Connection) -> None:
    await submit(conn, [A])
    await conn.execute("UPDATE sends SET statement_sha256 = NULL")
    await operator.pause(conn, 1)
    assert await relay.unfrozen(conn, 10) == []
    await operator.resume(conn, 1)
    assert len(await relay.unfrozen(conn, 10)) == 1


async def test_the_pause_of_another_business_does_no_harm(conn: asyncpg.Connection) -> None:
    [delivery] = await submit(conn, [A])
    await operator.pause(conn, 2)
    assert (await relay.enqueue(conn, 10, LEASE)).queued == [delivery]
    assert delivery in await worker.claim(conn, [delivery], LEASE)


async def test_to_resume_everybody_leaves_the_pause_of_one(conn: asyncpg.Connection) -> None:
    for business in (None, 1):
        await operator.pause(conn, business)
    assert await operator.resume(conn, None)
    assert [each.business_id for each in await operator.pauses(conn)] == [1]


@pytest.mark.parametrize("business", [1, None])
async def test_queued_rows_of_a_pause_go_back_to_wait_without_an_attempt(
    conn: asyncpg.Connection, business: int | None
) -> None:
    ids = await submit(conn, [A, B])
    await relay.enqueue(conn, 10, LEASE)
    await operator.pause(conn, business)
    assert await worker.claim(conn, ids, LEASE) == {}
    for row in await conn.fetch("SELECT * FROM deliveries"):
        assert (row["state"], row["claims"], row["attempts"]) == ("deferred", 0, 0)
        assert (row["lease_until"], row["reason"]) == (None, "paused by the operator")
    assert (await relay.enqueue(conn, 10, LEASE)).moved == 0
    await operator.resume(conn, business)
    assert sorted((await relay.enqueue(conn, 10, LEASE)).queued) == sorted(ids)
    assert len(await worker.claim(conn, ids, LEASE)) == 2


async def test_a_mail_at_work_is_finished_in_spite_of_a_pause(conn: asyncpg.Connection) -> None:
    claim = await claimed(conn)
    await operator.pause(conn, None)
    assert await worker.gate(conn, [claim], LEASE) == {claim.key}
    assert await worker.record(conn, [Verdict(claim, State.SENT)]) == {claim.key}


async def test_what_is_paused_for_too_long_expires(conn: asyncpg.Connection) -> None:
    queued, waiting_one = await submit(conn, [A]), await submit(conn, [B], due="1 second")
    await relay.enqueue(conn, 10, LEASE)
    await operator.pause(conn, None)
    await conn.execute("UPDATE deliveries SET expires_at = now(), due_at = now()")
    assert await worker.claim(conn, queued, LEASE) == {}
    assert await states(conn) == ["expired", "scheduled"]
    await operator.resume(conn, None)
    assert (await relay.enqueue(conn, 10, LEASE)).queued == []
    assert await states(conn) == ["expired", "expired"]
    assert len(waiting_one) == 1


async def test_quarantine_doubts_what_was_due_and_nothing_else(conn: asyncpg.Connection) -> None:
    expected = dict.fromkeys(State, "")
    ids: dict[UUID, State] = {}
    for state in State:
        due = "1 hour" if state in (State.SCHEDULED, State.DEFERRED) else "-1 second"
        [delivery] = await submit(conn, [A], due=due)
        ids[delivery] = state
        await conn.execute(
            "UPDATE deliveries SET state = $2, lease_until = now(), token = 5,"
            " sent_at = CASE $2 WHEN 'sent' THEN now() END WHERE id = $1",
            delivery,
            state,
        )
        expected[state] = state
    [due_by_now] = await submit(conn, [A])
    for state in (State.QUEUED, State.SENDING, State.COMMITTING, State.DEFERRED):
        expected[state] = State.IN_DOUBT
    assert await operator.quarantine(conn) == {
        State.QUEUED: 1,
        State.SENDING: 1,
        State.COMMITTING: 1,
        State.DEFERRED: 1,
        State.SCHEDULED: 1,
    }
    after = {row["id"]: row for row in await conn.fetch("SELECT * FROM deliveries")}
    assert after.pop(due_by_now)["state"] == "in_doubt"
    for delivery, row in after.items():
        assert row["state"] == expected[ids[delivery]], ids[delivery]
        assert (row["token"] > 1000) == (expected[ids[delivery]] != ids[delivery])
    assert await operator.quarantine(conn) == {}


async def test_no_worker_of_the_forgotten_time_decides_after_a_quarantine(
    conn: asyncpg.Connection,
) -> None:
    before_gate, after_gate = await claimed(conn), await claimed(conn)
    await worker.gate(conn, [after_gate], LEASE)
    await operator.quarantine(conn)
    both = [before_gate, after_gate]
    assert await worker.gate(conn, both, LEASE) == set()
    assert await worker.renew(conn, both, LEASE) == set()
    assert await worker.record(conn, [Verdict(each, State.SENT) for each in both]) == set()
    assert await states(conn) == ["in_doubt", "in_doubt"]


async def test_events_after_a_quarantine_have_numbers_that_nobody_has_seen(
    conn: asyncpg.Connection,
) -> None:
    await submit(conn, [A])
    last = await conn.fetchval("SELECT max(id) FROM delivery_events")
    await operator.quarantine(conn)
    await submit(conn, [B])
    assert await conn.fetchval("SELECT max(id) FROM delivery_events") > last + 1_000_000


async def test_the_backlog_counts_what_has_not_ended(conn: asyncpg.Connection) -> None:
    await submit(conn, [A, B], due="1 hour")
    done = await claimed(conn)
    await worker.record(conn, [Verdict(done, State.FAILED)])
    await doubted(conn)
    counted = {each.state: each.mails for each in await operator.backlog(conn)}
    assert counted == {State.SCHEDULED: 2, State.IN_DOUBT: 1}


async def test_a_pause_during_a_burst_loses_and_repeats_nothing(
    database: str, conn: asyncpg.Connection
) -> None:
    ids = await submit(conn, [f"r{n}@x.example" for n in range(60)])
    queueing, holding = await asyncpg.connect(database), await asyncpg.connect(database)
    sent: list[UUID] = []

    async def work() -> None:
        while len(sent) < len(ids):
            await relay.enqueue(queueing, 7, LEASE)
            for claim in (await worker.claim(holding, ids, LEASE)).values():
                assert await worker.gate(holding, [claim], LEASE)
                await worker.record(holding, [Verdict(claim, State.SENT)])
                sent.append(claim.id)
            await asyncio.sleep(0.001)

    working = asyncio.create_task(work())
    try:
        async with asyncio.timeout(180):
            for business in (None, 1, None, 1):
                await operator.pause(conn, business)
                await asyncio.sleep(0.05)
                await operator.resume(conn, business)
                await asyncio.sleep(0.01)
            await working
    finally:
        working.cancel()
        await holding.close()
        await queueing.close()
    assert sorted(sent) == sorted(ids)
    attempts = await conn.fetch("SELECT DISTINCT state, attempts FROM deliveries")
    assert [tuple(row) for row in attempts] == [("sent", 1)]
