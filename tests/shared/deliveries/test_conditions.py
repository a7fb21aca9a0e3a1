"""Each transition leaves the states that it names, under the token that it names, and no others."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import asyncpg
import pytest

from services.api.sends import changes
from shared.deliveries import operator, relay, worker
from shared.deliveries.reasons import ReasonCode
from shared.deliveries.states import State
from shared.deliveries.worker import Claim, Verdict
from tests.shared.deliveries.conftest import LEASE, submit

Transition = Callable[[asyncpg.Connection, Claim], Awaitable[object]]
_LAPSED, _RUNNING = timedelta(minutes=-1), timedelta(minutes=1)
_NOW = timedelta(0)
_WHY = ReasonCode.UNCLASSIFIED


async def _cancel(conn: asyncpg.Connection, claim: Claim) -> None:
    with suppress(changes.NothingToCancel):
        await changes.cancel(conn, 1, claim.send_id)


def _record(state: State) -> Transition:
    return lambda conn, claim: worker.record(conn, [Verdict(claim, state)])


_RUN: dict[str, Transition] = {
    "enqueue": lambda conn, _: relay.enqueue(conn, 10, LEASE),
    "claim": lambda conn, claim: worker.claim(conn, [claim.id], LEASE),
    "gate": lambda conn, claim: worker.gate(conn, [claim], LEASE),
    "renew": lambda conn, claim: worker.renew(conn, [claim], LEASE),
    "record sent": _record(State.SENT),
    "record deferred": _record(State.DEFERRED),
    "record failed": _record(State.FAILED),
    "record in_doubt": _record(State.IN_DOUBT),
    "sweep": lambda conn, _: relay.sweep(conn, 10),
    "reemit": lambda conn, _: relay.reemit(conn, 10, LEASE, queue_is_empty=True),
    "confirm": lambda conn, claim: relay.confirm(conn, [claim.id]),
    "retry_soon": lambda conn, claim: relay.retry_soon(conn, [claim.id]),
    "postpone": lambda conn, claim: worker.postpone(conn, [claim.id], _NOW, "away", _WHY),
    "abandon": lambda conn, claim: relay.abandon(conn, claim.send_id, "gone", _WHY),
    "put_off": lambda conn, claim: relay.put_off(conn, claim.send_id, _NOW, "locked"),
    "resend_in_doubt": lambda conn, _: relay.resend_in_doubt(conn, 10, _NOW),
    "resolve": lambda conn, claim: operator.resolve(conn, claim.id, "failed"),
    "cancel": _cancel,
}
_HELD = {State.SENDING, State.COMMITTING}
_WAITING = {State.SCHEDULED, State.DEFERRED}
_LEAVES: dict[tuple[str, timedelta], set[State]] = {
    ("enqueue", _RUNNING): _WAITING,
    ("claim", _RUNNING): {State.QUEUED},
    ("gate", _RUNNING): {State.SENDING},
    ("gate", _LAPSED): set(),
    ("renew", _RUNNING): _HELD,
    ("renew", _LAPSED): set(),
    ("record sent", _LAPSED): _HELD | {State.IN_DOUBT},
    ("record deferred", _LAPSED): _HELD | {State.IN_DOUBT},
    ("record failed", _LAPSED): _HELD | {State.IN_DOUBT},
    ("record in_doubt", _LAPSED): _HELD,
    ("sweep", _RUNNING): set(),
    ("sweep", _LAPSED): _HELD,
    ("reemit", _RUNNING): set(),
    ("reemit", _LAPSED): {State.QUEUED},
    ("confirm", _RUNNING): {State.QUEUED},
    ("retry_soon", _RUNNING): {State.QUEUED},
    ("postpone", _RUNNING): {State.QUEUED},
    ("abandon", _RUNNING): _WAITING,
    ("put_off", _RUNNING): _WAITING,
    ("resend_in_doubt", _RUNNING): {State.IN_DOUBT},
    ("resolve", _RUNNING): {State.IN_DOUBT},
    ("cancel", _RUNNING): _WAITING | {State.QUEUED, State.SENDING},
}
_FENCED = ("gate", "renew", "record sent", "record deferred", "record failed", "record in_doubt")


async def _claimed(conn: asyncpg.Connection) -> Claim:
    [delivery] = await submit(conn, ["a@x.example"])
    await relay.enqueue(conn, 10, LEASE)
    return (await worker.claim(conn, [delivery], LEASE))[delivery]


async def _left(conn: asyncpg.Connection, claim: Claim, name: str, lease: timedelta) -> set[State]:
    """The states in which a row changes."""
    changed = set()
    for state in State:
        before = await conn.fetchrow(
            "UPDATE deliveries SET state = $1::text, lease_until = clock_timestamp() + $2,"
            " token = 5, published_at = NULL, due_at = now() - interval '1 second',"
            " sent_at = CASE $1::text WHEN 'sent' THEN now() END RETURNING *",
            state,
            lease,
        )
        await _RUN[name](conn, claim)
        if await conn.fetchrow("SELECT * FROM deliveries") != before:
            changed.add(state)
    return changed


@pytest.mark.parametrize(
    ("name", "lease"), [pytest.param(*key, id=f"{key[0]}-{key[1]}") for key in _LEAVES]
)
async def test_a_transition_leaves_its_states_alone(
    conn: asyncpg.Connection, name: str, lease: timedelta
) -> None:
    claim = replace(await _claimed(conn), token=5)
    assert await _left(conn, claim, name, lease) == _LEAVES[name, lease]


@pytest.mark.parametrize("token", [4, 6])
@pytest.mark.parametrize("name", _FENCED)
async def test_who_has_another_token_changes_nothing(
    conn: asyncpg.Connection, name: str, token: int
) -> None:
    claim = replace(await _claimed(conn), token=token)
    assert await _left(conn, claim, name, _RUNNING) == set()


async def test_what_is_not_due_does_not_leave(conn: asyncpg.Connection) -> None:
    claim = await _claimed(conn)
    for state in _WAITING:
        await conn.execute(
            "UPDATE deliveries SET state = $1, due_at = now() + interval '1 minute'", state
        )
        assert (await relay.enqueue(conn, 10, LEASE)).moved == 0
        await relay.put_off(conn, claim.send_id, _NOW, "locked")
        assert await conn.fetchval("SELECT reason FROM deliveries") is None


async def test_every_taking_of_a_row_has_a_token_of_its_own(conn: asyncpg.Connection) -> None:
    tokens = [(claim := await _claimed(conn)).token]
    for state in (State.DEFERRED, None):
        if state is None:
            await conn.execute("UPDATE deliveries SET lease_until = now() - interval '1 second'")
            await relay.sweep(conn, 10)
            tokens.append(await conn.fetchval("SELECT token FROM deliveries"))
        else:
            await worker.record(conn, [Verdict(claim, state, counts=False)])
        await relay.enqueue(conn, 10, LEASE)
        claim = (await worker.claim(conn, [claim.id], LEASE))[claim.id]
        tokens.append(claim.token)
    assert tokens == sorted(set(tokens))


async def test_gate_and_renewal_prolong_the_lease(conn: asyncpg.Connection) -> None:
    claim = await _claimed(conn)
    left = "SELECT lease_until - clock_timestamp() FROM deliveries"
    for prolong in (worker.renew, worker.gate):
        await conn.execute("UPDATE deliveries SET lease_until = clock_timestamp() + $1", _RUNNING)
        assert await prolong(conn, [claim], 10 * _RUNNING) == {claim.key}
        assert await conn.fetchval(left) > 9 * _RUNNING


@pytest.mark.parametrize("attempts", [0, 2])
async def test_a_claim_that_comes_too_late_ends_the_delivery(
    conn: asyncpg.Connection, attempts: int
) -> None:
    [delivery] = await submit(conn, ["a@x.example"])
    await relay.enqueue(conn, 10, LEASE)
    await conn.execute("UPDATE deliveries SET expires_at = now(), attempts = $1", attempts)
    assert await worker.claim(conn, [delivery], LEASE) == {}
    state = await conn.fetchval("SELECT state FROM deliveries")
    assert state == ("failed" if attempts else "expired")


@pytest.mark.parametrize("attempts", [0, 2])
async def test_what_waits_in_the_queue_for_too_long_ends(
    conn: asyncpg.Connection, attempts: int
) -> None:
    await submit(conn, ["a@x.example"])
    await relay.enqueue(conn, 10, LEASE)
    await conn.execute("UPDATE deliveries SET expires_at = now(), attempts = $1", attempts)
    assert await relay.sweep(conn, 10) == 1
    state = await conn.fetchval("SELECT state FROM deliveries")
    assert state == ("failed" if attempts else "expired")


async def test_what_is_at_work_is_not_ended_by_its_expiry(conn: asyncpg.Connection) -> None:
    claim = await _claimed(conn)
    await conn.execute("UPDATE deliveries SET expires_at = now()")
    assert await relay.sweep(conn, 10) == 0
    assert await worker.gate(conn, [claim], LEASE) == {claim.key}
    assert await relay.sweep(conn, 10) == 0


@pytest.mark.parametrize("by", ["policy", "person"])
async def test_a_doubt_that_is_sent_again_leaves_its_attempt_without_a_say(
    conn: asyncpg.Connection, by: str
) -> None:
    claim = await _claimed(conn)
    await worker.record(conn, [Verdict(claim, State.IN_DOUBT)])
    if by == "policy":
        assert await relay.resend_in_doubt(conn, 10, _NOW) == 1
    else:
        await operator.resolve(conn, claim.id, "resend")
    assert await conn.fetchval("SELECT token FROM deliveries") > claim.token


async def test_the_next_attempt_waits_its_delay_and_never_past_the_expiry(
    conn: asyncpg.Connection,
) -> None:
    claim = await _claimed(conn)
    await worker.record(conn, [Verdict(claim, State.DEFERRED, delay=timedelta(hours=1))])
    wait = await conn.fetchval("SELECT due_at - now() FROM deliveries")
    assert timedelta(minutes=59) < wait <= timedelta(hours=1)
    await conn.execute("UPDATE deliveries SET state = 'sending', lease_until = now()")
    await worker.record(conn, [Verdict(claim, State.DEFERRED, delay=timedelta(days=30))])
    assert await conn.fetchval("SELECT due_at = expires_at FROM deliveries")


async def test_what_no_worker_can_serve_waits_its_delay(conn: asyncpg.Connection) -> None:
    [delivery] = await submit(conn, ["a@x.example"])
    await relay.enqueue(conn, 10, LEASE)
    await worker.postpone(conn, [delivery], timedelta(hours=1), "the relay is away", _WHY)
    wait = await relay.next_due(conn)
    assert wait is not None
    assert wait > timedelta(minutes=59)


async def test_what_was_refused_is_published_by_the_next_sweep_and_what_was_confirmed_is_not(
    conn: asyncpg.Connection,
) -> None:
    refused, confirmed = await submit(conn, ["a@x.example", "b@x.example"])
    await relay.enqueue(conn, 10, LEASE)
    await relay.confirm(conn, [confirmed])
    await relay.retry_soon(conn, [refused, confirmed])
    assert await relay.reemit(conn, 10, LEASE, queue_is_empty=True) == [refused]


async def test_a_statement_that_cannot_be_made_is_tried_until_the_send_expires(
    conn: asyncpg.Connection,
) -> None:
    [delivery] = await submit(conn, ["a@x.example"])
    send = await conn.fetchval("SELECT send_id FROM deliveries WHERE id = $1", delivery)
    await relay.put_off(conn, send, _NOW, "locked")
    assert await conn.fetchval("SELECT state FROM deliveries") == "deferred"
    await conn.execute("UPDATE deliveries SET due_at = now(), expires_at = now()")
    await relay.put_off(conn, send, _NOW, "locked")
    assert await conn.fetchval("SELECT state FROM deliveries") == "failed"


async def test_without_a_statement_nothing_is_queued(conn: asyncpg.Connection) -> None:
    await submit(conn, ["a@x.example"])
    await conn.execute("UPDATE sends SET statement_sha256 = NULL")
    assert (await relay.enqueue(conn, 10, LEASE)).moved == 0


async def test_a_doubt_that_expired_is_not_resent(conn: asyncpg.Connection) -> None:
    claim = await _claimed(conn)
    await worker.record(conn, [Verdict(claim, State.IN_DOUBT)])
    await conn.execute("UPDATE deliveries SET expires_at = now()")
    assert await relay.resend_in_doubt(conn, 10, _NOW) == 0


async def test_a_relay_takes_no_row_that_another_is_taking(
    database: str, conn: asyncpg.Connection
) -> None:
    first, second = await submit(conn, ["a@x.example", "b@x.example"])
    other = await asyncpg.connect(database)
    try:
        async with other.transaction():
            await other.execute("SELECT FROM deliveries WHERE id = $1 FOR UPDATE", first)
            async with asyncio.timeout(180):
                assert (await relay.enqueue(conn, 10, LEASE)).queued == [second]
    finally:
        await other.close()
