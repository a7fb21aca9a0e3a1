"""Every pair of states is tried by everybody who changes states: what happens is what is listed."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import asyncpg

from shared.deliveries import caller, operator, relay, returns, worker
from shared.deliveries.operator import Resolution
from shared.deliveries.reason_meanings import REASONS
from shared.deliveries.reasons import ReasonCode
from shared.deliveries.states import OPEN, TRANSITIONS, Actor, State
from shared.deliveries.worker import Claim, Verdict
from tests.shared.deliveries.conftest import LEASE, submit

Act = Callable[[asyncpg.Connection, Claim], Awaitable[object]]
_NOW = timedelta(0)
_LATER = datetime(2031, 1, 1, tzinfo=UTC)
_WHY = ReasonCode.UNCLASSIFIED


@dataclass(frozen=True)
class Situation:
    """What a transition may depend on, beside the state."""

    lease: timedelta = timedelta(minutes=1)
    expires: timedelta = timedelta(days=1)
    attempts: int = 0
    claims: int = 1
    paused: bool = False
    suppressed: bool = False


_LAPSED, _PAST = timedelta(minutes=-1), timedelta(seconds=-1)
SITUATIONS = (
    Situation(),
    Situation(attempts=2),
    Situation(lease=_LAPSED),
    Situation(lease=_LAPSED, claims=relay.MAX_CLAIMS),
    Situation(expires=_PAST),
    Situation(expires=_PAST, attempts=2),
    Situation(paused=True),
    Situation(suppressed=True),
)


def _record(state: State) -> Act:
    return lambda conn, claim: worker.record(conn, [Verdict(claim, state)])


def _resolve(resolution: Resolution) -> Act:
    return lambda conn, claim: operator.resolve(conn, claim.id, resolution)


async def _reschedule(conn: asyncpg.Connection, claim: Claim) -> None:
    async with conn.transaction():
        await caller.reschedule(conn, 1, claim.send_id, _LATER, _LATER + timedelta(days=1))


async def _bounce(conn: asyncpg.Connection, claim: Claim) -> None:
    code = ReasonCode.BOUNCED_RECIPIENT
    await returns.settle(conn, [returns.Change(claim.id, "bounced", "returned", code)])


async def _complain(conn: asyncpg.Connection, claim: Claim) -> None:
    code = ReasonCode.COMPLAINED
    await returns.settle(conn, [returns.Change(claim.id, "complained", "reported", code)])


async def _cancel_some(conn: asyncpg.Connection, claim: Claim) -> None:
    await conn.execute("UPDATE deliveries SET batch_id = $1", claim.send_id)
    await caller.cancel_some(conn, claim.send_id, 10)


ACTS: dict[Actor, tuple[Act, ...]] = {
    Actor.CALLER: (
        lambda conn, claim: caller.cancel(conn, 1, claim.send_id),
        _cancel_some,
        _reschedule,
    ),
    Actor.RELAY: (
        lambda conn, _: relay.enqueue(conn, 10, LEASE),
        lambda conn, _: relay.sweep(conn, 10),
        lambda conn, _: relay.reemit(conn, 10, LEASE, queue_is_empty=True),
        lambda conn, claim: relay.confirm(conn, [claim.id]),
        lambda conn, claim: relay.retry_soon(conn, [claim.id]),
        lambda conn, claim: relay.abandon(conn, claim.send_id, "gone", _WHY),
        lambda conn, claim: relay.put_off(conn, claim.send_id, _NOW, "locked"),
        lambda conn, _: relay.resend_in_doubt(conn, 10, _NOW),
    ),
    Actor.WORKER: (
        lambda conn, claim: worker.claim(conn, [claim.id], LEASE),
        lambda conn, claim: worker.renew(conn, [claim], LEASE),
        lambda conn, claim: worker.gate(conn, [claim], LEASE),
        *map(_record, (State.SENT, State.DEFERRED, State.FAILED, State.IN_DOUBT)),
        lambda conn, claim: worker.postpone(conn, [claim.id], _NOW, "away", _WHY),
    ),
    Actor.OPERATOR: (
        *map(_resolve, ("sent", "resend", "failed")),
        lambda conn, _: operator.quarantine(conn),
        lambda conn, claim: operator.cancel(conn, [claim.id]),
    ),
    Actor.RETURNS: (_bounce, _complain),
}
# What the modules have beside these changes no row of `deliveries`.
READERS = {
    *("Claim", "Verdict", "unknown", "statements", "logos"),
    *("Unfrozen", "Enqueued", "Origin", "unfrozen", "origins", "next_due"),
    *("Pause", "Backlog", "pause", "resume", "pauses", "backlog"),
    *("Rescheduled", "Cancelled", "Changed"),
    *("Origin", "origins"),
}


def listed() -> set[tuple[State, State, Actor]]:
    return {
        (leaves, each.enters, each.by)
        for each in TRANSITIONS
        for leaves in each.leaves
        if each.by in ACTS
    }


def _listed_for(state: State) -> str | None:
    codes = (code for code, each in REASONS.items() if code is not _WHY and state in each.states)
    return next(codes, None)


async def _put(conn: asyncpg.Connection, state: State, given: Situation) -> None:
    await conn.execute("DELETE FROM pauses; DELETE FROM suppressions")
    if given.paused:
        await operator.pause(conn, None)
    if given.suppressed:
        await conn.execute("INSERT INTO suppressions VALUES (1, 'a@x.example', 'no')")
    await conn.execute(
        "UPDATE deliveries SET state = $1::text, lease_until = clock_timestamp() + $2, token = 5,"
        " expires_at = now() + $3, attempts = $4, claims = $5, published_at = NULL,"
        " due_at = now() - interval '1 minute',"
        " sent_at = CASE $1::text WHEN 'sent' THEN now() END, reason = 'why', reason_code = $6",
        *(state, given.lease, given.expires, given.attempts, given.claims, _listed_for(state)),
    )


async def _changes(
    conn: asyncpg.Connection, claim: Claim, acts: Iterable[Act]
) -> set[tuple[State, State]]:
    found = set()
    for act in acts:
        for state in State:
            for given in SITUATIONS:
                if state is State.SCHEDULED and given.attempts:
                    continue  # an attempt leads out of it, and nothing back
                await _put(conn, state, given)
                await act(conn, claim)
                row = await conn.fetchrow("SELECT state, reason_code FROM deliveries")
                after, code = State(row["state"]), row["reason_code"]
                if after is not state:
                    found.add((state, after))
                    _agrees(state, after, code)
    return found


def _agrees(before: State, after: State, code: str | None) -> None:
    """The code of a reason is listed for the state; an open mail may keep that of its last one."""
    if code is None or (after in OPEN and after is not State.DEFERRED):
        return
    assert after in REASONS[ReasonCode(code)].states, f"{before} to {after}: {code}"


async def test_nobody_changes_a_state_but_as_listed(conn: asyncpg.Connection) -> None:
    [delivery] = await submit(conn, ["a@x.example"])
    await relay.enqueue(conn, 10, LEASE)
    claim = replace((await worker.claim(conn, [delivery], LEASE))[delivery], token=5)
    happened = {
        (leaves, enters, actor)
        for actor, acts in ACTS.items()
        for leaves, enters in await _changes(conn, claim, acts)
    }
    assert happened - listed() == set(), "happens, and is not listed"
    assert listed() - happened == set(), "is listed, and does not happen"


def test_everything_that_changes_a_state_was_tried() -> None:
    tried = {name for acts in ACTS.values() for act in acts for name in _names(act)}
    for module in (caller, relay, worker, operator, returns):
        own = {
            name
            for name, value in vars(module).items()
            if getattr(value, "__module__", "") == module.__name__ and not name.startswith("_")
        }
        assert own - READERS - tried == set(), module.__name__


def _names(act: Act) -> set[str]:
    """The functions that an act calls, those of the functions around it included."""
    around = {"record"} if "_record" in act.__qualname__ else set()
    around |= {"resolve"} if "_resolve" in act.__qualname__ else set()
    return {*act.__code__.co_names, *around}
