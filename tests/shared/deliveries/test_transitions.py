import asyncio
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest

from shared.deliveries import relay, worker
from shared.deliveries.events import unpublished
from shared.deliveries.reasons import ReasonCode
from shared.deliveries.states import State
from shared.deliveries.worker import Claim, Verdict
from tests.shared.deliveries.conftest import LEASE, submit

A = "a@x.example"


async def claimed(conn: asyncpg.Connection, emails: list[str] | None = None) -> list[Claim]:
    ids = await submit(conn, emails or [A])
    await relay.enqueue(conn, 100, LEASE)
    return list((await worker.claim(conn, ids, LEASE)).values())


async def state(conn: asyncpg.Connection, delivery: UUID) -> str:
    return str(await conn.fetchval("SELECT state FROM deliveries WHERE id = $1", delivery))


async def test_due_rows_are_queued_and_others_wait(conn: asyncpg.Connection) -> None:
    due, later = await submit(conn, [A]), await submit(conn, [A], due="1 hour")
    assert (await relay.enqueue(conn, 10, LEASE)).queued == due
    assert await state(conn, later[0]) == "scheduled"
    wait = await relay.next_due(conn)
    assert wait is not None
    assert timedelta(minutes=59) < wait <= timedelta(hours=1)


async def test_two_relays_share_the_rows(database: str, conn: asyncpg.Connection) -> None:
    ids = await submit(conn, [f"r{n}@x.example" for n in range(100)])
    other = await asyncpg.connect(database)
    try:
        batches = await asyncio.gather(
            *(relay.enqueue(c, 30, LEASE) for c in (conn, other)),
        )
        batches += [await relay.enqueue(conn, 100, LEASE)]
    finally:
        await other.close()
    queued = [delivery for batch in batches for delivery in batch.queued]
    assert sorted(queued) == sorted(ids)


async def test_what_is_past_its_expiry_says_so(conn: asyncpg.Connection) -> None:
    never, tried = await submit(conn, [A, "b@x.example"])
    await conn.execute("UPDATE deliveries SET expires_at = now() - interval '1s'")
    await conn.execute("UPDATE deliveries SET attempts = 3, reason = '451' WHERE id = $1", tried)
    assert (await relay.enqueue(conn, 10, LEASE)).queued == []
    assert await state(conn, never) == "expired"
    assert await state(conn, tried) == "failed"
    row = await conn.fetchrow("SELECT reason, reason_code FROM deliveries WHERE id = $1", tried)
    assert row["reason"] == "gave up when it expired: 451"
    assert row["reason_code"] == "attempts_exhausted"
    code = await conn.fetchval("SELECT reason_code FROM deliveries WHERE id = $1", never)
    assert code == "expired"


async def test_suppressed_addresses_are_not_queued(conn: asyncpg.Connection) -> None:
    [delivery] = await submit(conn, ["Gone@X.example"])
    await conn.execute("INSERT INTO suppressions VALUES (1, 'gone@x.example', '550 5.1.1')")
    await conn.execute("INSERT INTO suppressions VALUES (2, 'a@x.example', 'not this business')")
    [other] = await submit(conn, [A])
    assert (await relay.enqueue(conn, 10, LEASE)).queued == [other]
    assert await state(conn, delivery) == "suppressed"


async def test_only_one_claim_succeeds_and_each_bumps_the_token(conn: asyncpg.Connection) -> None:
    [first] = await claimed(conn)
    assert await worker.claim(conn, [first.id], LEASE) == {}
    await conn.execute("UPDATE deliveries SET lease_until = now() - interval '1s'")
    assert await relay.sweep(conn, 10) == 1
    await relay.enqueue(conn, 10, LEASE)
    second = (await worker.claim(conn, [first.id], LEASE))[first.id]
    assert second.token > first.token
    assert await worker.gate(conn, [first], LEASE) == set()
    assert await worker.gate(conn, [second], LEASE) == {second.key}


async def claimed_again(conn: asyncpg.Connection) -> tuple[Claim, Claim]:
    """Return two claims on one delivery; the first one's lease has expired."""
    [first] = await claimed(conn)
    await conn.execute("UPDATE deliveries SET lease_until = now() - interval '1s'")
    await relay.sweep(conn, 10)
    await relay.enqueue(conn, 10, LEASE)
    return first, (await worker.claim(conn, [first.id], LEASE))[first.id]


@pytest.mark.parametrize("first_asks_first", [True, False])
async def test_of_two_claims_on_a_delivery_only_the_newer_passes_the_gate(
    conn: asyncpg.Connection, *, first_asks_first: bool
) -> None:
    first, second = await claimed_again(conn)
    both = [first, second] if first_asks_first else [second, first]
    assert await worker.renew(conn, both, LEASE) == {second.key}
    assert await worker.gate(conn, both, LEASE) == {second.key}


@pytest.mark.parametrize("first_says_first", [True, False])
async def test_of_two_verdicts_on_a_delivery_that_of_the_newer_claim_decides(
    conn: asyncpg.Connection, *, first_says_first: bool
) -> None:
    first, second = await claimed_again(conn)
    await worker.gate(conn, [second], LEASE)
    late = Verdict(first, State.FAILED, "550 no", "unknown", counts=False, suppress=True)
    verdicts = [late, Verdict(second, State.SENT, "250 ok")]
    both = verdicts if first_says_first else verdicts[::-1]
    assert await worker.record(conn, both) == {second.key}
    row = await conn.fetchrow("SELECT state, reply, attempts FROM deliveries")
    assert tuple(row) == ("sent", "250 ok", 1)
    assert await conn.fetchval("SELECT count(*) FROM suppressions") == 0


async def test_the_gate_wants_a_running_lease(conn: asyncpg.Connection) -> None:
    [claim] = await claimed(conn)
    await conn.execute("UPDATE deliveries SET lease_until = clock_timestamp()")
    assert await worker.gate(conn, [claim], LEASE) == set()
    assert await worker.renew(conn, [claim], LEASE) == set()


async def test_a_renewed_lease_keeps_the_sweeper_away(conn: asyncpg.Connection) -> None:
    [claim] = await claimed(conn)
    assert await worker.renew(conn, [claim], LEASE) == {claim.key}
    assert await relay.sweep(conn, 10) == 0


@pytest.mark.parametrize("verdict", ["sent", "deferred", "failed", "in_doubt"])
async def test_a_verdict_is_recorded_once(conn: asyncpg.Connection, verdict: State) -> None:
    [claim] = await claimed(conn)
    await worker.gate(conn, [claim], LEASE)
    code = ReasonCode.POLICY_REFUSED
    first = Verdict(claim, verdict, "the reply", "the reason", code, timedelta(minutes=1))
    assert await worker.record(conn, [first]) == {claim.key}
    row = await conn.fetchrow("SELECT * FROM deliveries")
    assert (row["state"], row["attempts"], row["claims"]) == (verdict, 1, 0)
    assert (row["reply"], row["reason"]) == ("the reply", "the reason")
    assert row["reason_code"] == "policy_refused"
    if verdict != "in_doubt":
        assert await worker.record(conn, [Verdict(claim, State.FAILED)]) == set()
        assert await state(conn, claim.id) == verdict


async def test_attempts_count_where_the_relay_judged_the_mail(conn: asyncpg.Connection) -> None:
    judged, away = await claimed(conn, [A, "b@x.example"])
    await worker.record(
        conn,
        [
            Verdict(judged, State.DEFERRED, delay=timedelta(minutes=1)),
            Verdict(away, State.DEFERRED, delay=timedelta(minutes=1), counts=False),
        ],
    )
    counted = dict(await conn.fetch("SELECT id, attempts FROM deliveries"))
    assert counted == {judged.id: 1, away.id: 0}


async def test_an_attempt_that_was_counted_at_the_gate_can_be_handed_back(
    conn: asyncpg.Connection,
) -> None:
    judged, away, late = claims = await claimed(conn, [A, "b@x.example", "c@x.example"])
    await worker.gate(conn, claims, LEASE)
    await worker.record(conn, [Verdict(late, State.IN_DOUBT)])
    away, late = (
        Verdict(claim, State.DEFERRED, delay=timedelta(minutes=1), counts=False)
        for claim in (away, late)
    )
    await worker.record(conn, [Verdict(judged, State.DEFERRED), away, late])
    counted = dict(await conn.fetch("SELECT id, attempts FROM deliveries"))
    assert counted == {judged.id: 1, away.claim.id: 0, late.claim.id: 0}


async def test_a_vanished_worker_before_the_gate_means_again(conn: asyncpg.Connection) -> None:
    [claim] = await claimed(conn)
    await conn.execute("UPDATE deliveries SET lease_until = now() - interval '1s'")
    await relay.sweep(conn, 10)
    assert await state(conn, claim.id) == "deferred"
    assert await worker.record(conn, [Verdict(claim, State.SENT)]) == set()


async def test_a_vanished_worker_after_the_gate_means_doubt_until_a_late_reply(
    conn: asyncpg.Connection,
) -> None:
    [claim] = await claimed(conn)
    await worker.gate(conn, [claim], LEASE)
    await conn.execute("UPDATE deliveries SET lease_until = now() - interval '1s'")
    await relay.sweep(conn, 10)
    assert await state(conn, claim.id) == "in_doubt"
    assert await worker.record(conn, [Verdict(claim, State.SENT, "250 late")]) == {claim.key}
    assert await state(conn, claim.id) == "sent"


async def test_a_resent_doubt_cannot_be_decided_by_the_old_attempt(
    conn: asyncpg.Connection,
) -> None:
    [claim] = await claimed(conn)
    await worker.gate(conn, [claim], LEASE)
    await worker.record(conn, [Verdict(claim, State.IN_DOUBT)])
    assert await relay.resend_in_doubt(conn, 10, timedelta(minutes=15)) == 0
    await conn.execute("UPDATE deliveries SET updated_at = now() - interval '16 minutes'")
    assert await relay.resend_in_doubt(conn, 10, timedelta(minutes=15)) == 1
    assert await worker.record(conn, [Verdict(claim, State.SENT)]) == set()
    assert await state(conn, claim.id) == "deferred"


async def test_poison_fails_after_six_claims(conn: asyncpg.Connection) -> None:
    [delivery] = await submit(conn, [A])
    for _ in range(relay.MAX_CLAIMS):
        await conn.execute("UPDATE deliveries SET due_at = now()")
        await relay.enqueue(conn, 10, LEASE)
        assert await worker.claim(conn, [delivery], LEASE)
        await conn.execute("UPDATE deliveries SET lease_until = now() - interval '1s'")
        await relay.sweep(conn, 10)
    row = await conn.fetchrow("SELECT state, reason, reason_code FROM deliveries")
    assert (row["state"], row["reason"]) == ("failed", "crashed: 6 claims came to no outcome")
    assert row["reason_code"] == "worker_crashed"


async def test_what_a_worker_left_comes_back_at_once_and_later_one_by_one(
    conn: asyncpg.Connection,
) -> None:
    ids = await submit(conn, [f"r{n}@x.example" for n in range(20)])
    for claims in (1, 2, 3):
        await conn.execute("UPDATE deliveries SET due_at = now()")
        await relay.enqueue(conn, 100, LEASE)
        assert len(await worker.claim(conn, ids, LEASE)) == 20
        await conn.execute("UPDATE deliveries SET lease_until = now() - interval '1s'")
        await relay.sweep(conn, 100)
        due = await conn.fetchrow(
            "SELECT min(due_at) AS first, max(due_at) AS last, max(updated_at) AS now"
            " FROM deliveries"
        )
        longest = timedelta(seconds=2 * (claims - 1))
        assert due["now"] - timedelta(seconds=1) <= due["first"]
        assert longest / 2 <= due["last"] - due["first"] <= longest + timedelta(seconds=1)


async def test_stale_rows_are_published_again_with_patience(conn: asyncpg.Connection) -> None:
    confirmed, lost = await submit(conn, [A, "b@x.example"])
    await relay.enqueue(conn, 10, LEASE)
    await relay.confirm(conn, [confirmed])
    assert await relay.reemit(conn, 10, LEASE, queue_is_empty=True) == []
    await conn.execute("UPDATE deliveries SET lease_until = now() - interval '1s'")
    assert await relay.reemit(conn, 10, LEASE, queue_is_empty=False) == [lost]
    assert await relay.reemit(conn, 10, LEASE, queue_is_empty=True) == [confirmed]
    patience = await conn.fetchval("SELECT min(lease_until - now()) FROM deliveries")
    assert patience > LEASE * 1.9


async def test_refused_addresses_are_suppressed_for_that_business(conn: asyncpg.Connection) -> None:
    [claim] = await claimed(conn, ["Gone@x.example"])
    verdict = Verdict(claim, State.FAILED, "550 5.1.1 nobody", "refused", suppress=True)
    await worker.record(conn, [verdict])
    row = await conn.fetchrow("SELECT * FROM suppressions")
    assert (row["business_id"], row["email_key"]) == (1, "gone@x.example")
    assert row["reason"] == "550 5.1.1 nobody"
    assert row["reason_code"] == "suppressed_recipient_unknown"


async def test_every_change_is_logged_except_the_inward_one(conn: asyncpg.Connection) -> None:
    [claim] = await claimed(conn)
    await worker.renew(conn, [claim], LEASE)
    await worker.gate(conn, [claim], LEASE)
    await worker.record(conn, [Verdict(claim, State.SENT, "250 ok")])
    async with conn.transaction():
        events = await unpublished(conn, 10)
    assert [event.data.state for event in events] == ["scheduled", "queued", "sending", "sent"]
    assert events[-1].data.reply == "250 ok"
    assert {event.data.reason_code for event in events} == {None}
    assert [event.data.sequence for event in events] == sorted(e.data.sequence for e in events)
