"""Any interleaving of relays, workers, crashes and sweeps keeps the promise, on the real tables."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from services.api.sends import changes
from shared.deliveries import operator, relay, worker
from shared.deliveries.reasons import ReasonCode
from shared.deliveries.states import State
from shared.deliveries.worker import Claim, Verdict
from tests.shared.deliveries.conftest import LEASE, submit

_FEW = 2
_WHY = ReasonCode.SMARTHOST_UNREACHABLE
_ALL_IS_DUE = (
    "UPDATE deliveries SET due_at = now() - interval '1s' WHERE state IN ('scheduled', 'deferred')"
)
_pick = st.integers(min_value=0, max_value=10**6)


@dataclass
class Attempt:
    """A worker's hold on a delivery; it may stall at any point and go on much later."""

    claim: Claim
    passed_gate: bool = False


class Deliveries(RuleBasedStateMachine):
    """Workers share only the tables; the smarthost is the set of accepted mails."""

    dsn: str

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.conn = self.run(asyncpg.connect(self.dsn))
        self.run(self.conn.execute("TRUNCATE sends, statements, suppressions, pauses CASCADE"))
        self.ids: list[UUID] = []
        self.attempts: list[Attempt] = []
        self.accepted: dict[UUID, int] = {}
        # Whether a rule may find something to do; preconditions must not ask the database.
        self.may_wait = self.may_hold = False

    def run(self, work: Any) -> Any:
        return self.runner.run(work)

    def teardown(self) -> None:
        self.drain()
        self.run(self.conn.close())
        self.runner.close()

    def drain(self) -> None:
        """With all workers gone, sweeping and sending comes to an end with nothing lost."""
        self.run(operator.resume(self.conn, None))
        for _ in range(3 * relay.MAX_CLAIMS):
            self.run(
                self.conn.execute(
                    "UPDATE deliveries SET lease_until = now() - interval '1s'"
                    " WHERE lease_until IS NOT NULL"
                )
            )
            self.run(self.conn.execute(_ALL_IS_DUE))
            self.sweep()
            self.run(relay.enqueue(self.conn, 100, LEASE))
            for claim in self.run(worker.claim(self.conn, self.ids, LEASE)).values():
                assert self.run(worker.gate(self.conn, [claim], LEASE))
                self.accepted[claim.id] = self.accepted.get(claim.id, 0) + 1
                self.run(worker.record(self.conn, [Verdict(claim, State.SENT)]))
        states = dict(self.run(self.conn.fetch("SELECT id, state FROM deliveries")))
        for delivery in self.ids:
            visible = {"failed", "in_doubt", "cancelled", "expired", "suppressed"}
            assert self.accepted.get(delivery) or states[delivery] in visible, "lost"
        self.promise()

    def rows_in(self, *states: str) -> list[UUID]:
        query = "SELECT id FROM deliveries WHERE state = ANY($1) ORDER BY created_at, position"
        return [row["id"] for row in self.run(self.conn.fetch(query, list(states)))]

    def sweep(self) -> None:
        self.run(relay.sweep(self.conn, 100))
        self.run(relay.reemit(self.conn, 100, LEASE, queue_is_empty=True))

    def record(self, attempt: Attempt, state: State, *, counts: bool = True) -> None:
        self.run(worker.record(self.conn, [Verdict(attempt.claim, state, counts=counts)]))

    def accept(self, attempt: Attempt) -> None:
        delivery = attempt.claim.id
        self.accepted[delivery] = self.accepted.get(delivery, 0) + 1

    @precondition(lambda self: len(self.ids) < _FEW)
    @rule(recipients=st.integers(min_value=1, max_value=3), later=st.booleans())
    def submit(self, recipients: int, *, later: bool) -> None:
        emails = [f"r{n}@x.example" for n in range(recipients)]
        self.ids += self.run(submit(self.conn, emails, "1 hour" if later else "-1 second"))
        self.may_wait = True

    @precondition(lambda self: self.may_wait)
    @rule()
    def time_passes(self) -> None:
        """Until everything that waits is due."""
        self.run(self.conn.execute(_ALL_IS_DUE))

    @precondition(lambda self: self.may_wait)
    @rule(consumed=st.booleans())
    def relay_and_consume(self, *, consumed: bool) -> None:
        self.run(relay.enqueue(self.conn, 100, LEASE))
        if consumed:
            claims = self.run(worker.claim(self.conn, self.rows_in("queued"), LEASE))
            self.attempts += [Attempt(claims[key]) for key in self.ids if key in claims]
            self.may_wait, self.may_hold = False, self.may_hold or bool(claims)

    @precondition(lambda self: any(not a.passed_gate for a in self.attempts))
    @rule(pick=_pick, what=st.sampled_from(["gate", "gate", "refused", "released", "crash"]))
    def before_the_gate(self, pick: int, what: str) -> None:
        early = [a for a in self.attempts if not a.passed_gate]
        attempt = early[pick % len(early)]
        if what == "gate":
            attempt.passed_gate = bool(self.run(worker.gate(self.conn, [attempt.claim], LEASE)))
        if not attempt.passed_gate:
            self.attempts.remove(attempt)
        self.may_wait = True
        if what == "refused":
            self.record(attempt, State.FAILED if pick % 3 == 0 else State.DEFERRED)
        if what == "released":
            self.record(attempt, State.DEFERRED, counts=False)

    @precondition(lambda self: any(a.passed_gate for a in self.attempts))
    @rule(pick=_pick, reply=st.sampled_from([State.SENT, State.DEFERRED, State.FAILED, None]))
    def the_dot(self, pick: int, reply: State | None) -> None:
        """The smarthost accepts the mail or not; the reply may be lost, or the worker dead."""
        ready = [a for a in self.attempts if a.passed_gate]
        attempt = ready[pick % len(ready)]
        self.attempts.remove(attempt)
        taken = reply is State.SENT if reply else pick % 2 == 0
        if taken:
            self.accept(attempt)
        noticed = pick % 3 > 0
        self.may_wait = True
        if reply or noticed:
            self.record(attempt, reply or State.IN_DOUBT)

    @precondition(lambda self: self.may_hold)
    @rule(pick=_pick, overtaken=st.booleans())
    def a_lease_runs_out(self, pick: int, *, overtaken: bool) -> None:
        """Its worker is dead, or stalls and goes on after this, maybe overtaken by another."""
        leased = self.rows_in("sending", "committing")
        self.may_hold, self.may_wait = len(leased) > 1, True
        if not leased:
            return
        self.run(
            self.conn.execute(
                "UPDATE deliveries SET lease_until = clock_timestamp() - interval '1s'"
                " WHERE id = $1",
                leased[pick % len(leased)],
            )
        )
        self.sweep()
        self.run(
            self.conn.execute(
                "UPDATE deliveries SET due_at = now() - interval '1s' WHERE state = 'deferred'"
            )
        )
        if overtaken:
            self.relay_and_consume(consumed=True)

    @precondition(lambda self: self.ids)
    @rule(pick=_pick, what=st.sampled_from(["redeliver", "postpone", "cancel"]))
    def interfere(self, pick: int, what: str) -> None:
        delivery = self.ids[pick % len(self.ids)]
        if what == "redeliver":
            claims = self.run(worker.claim(self.conn, [delivery], LEASE))
            self.attempts += [Attempt(claim) for claim in claims.values()]
        self.may_wait = self.may_hold = True
        if what == "postpone":
            self.run(
                worker.postpone(self.conn, [delivery], timedelta(0), "the relay is away", _WHY)
            )
        if what == "cancel" and pick % 4 == 0:
            self.run(self.cancel(delivery))

    async def cancel(self, delivery: UUID) -> None:
        query = "SELECT send_id FROM deliveries WHERE id = $1"
        with suppress(changes.NothingToCancel):
            await changes.cancel(self.conn, 1, await self.conn.fetchval(query, delivery))

    @precondition(lambda self: self.ids)
    @rule(pick=_pick)
    def a_person_resolves(self, pick: int) -> None:
        """Resolved from the smarthost's log, once no attempt can reach the smarthost any more."""
        under_way = {a.claim.id for a in self.attempts if a.passed_gate}
        doubted = [each for each in self.rows_in("in_doubt") if each not in under_way]
        if not doubted:
            return
        delivery = doubted[pick % len(doubted)]
        gone = "resend" if pick % 2 else "failed"
        resolution = "sent" if delivery in self.accepted else gone
        assert self.run(operator.resolve(self.conn, delivery, resolution))
        self.may_wait = True

    @precondition(lambda self: self.ids)
    @rule(pick=_pick, what=st.sampled_from(["pause", "resume", "resume", "quarantine"]))
    def an_operator_interferes(self, pick: int, what: str) -> None:
        self.may_wait = self.may_hold = True
        if what == "pause":
            self.run(operator.pause(self.conn, None))
        if what == "resume":
            self.run(operator.resume(self.conn, None))
        if what == "quarantine" and pick % 4 == 0:
            self.run(operator.quarantine(self.conn))

    @invariant()
    def promise(self) -> None:
        assert all(times == 1 for times in self.accepted.values()), "sent twice"
        rows = self.run(self.conn.fetch("SELECT id, state, due_at > now() FROM deliveries"))
        states = {delivery: state for delivery, state, _ in rows}
        for _, state, is_early in rows:
            assert not is_early or state not in {"queued", "sending", "committing"}, "too early"
        for delivery in self.accepted:
            assert states[delivery] in {"committing", "in_doubt", "sent"}, (
                "accepted, yet may go again"
            )
        for delivery, seen in states.items():
            assert seen != "sent" or delivery in self.accepted, "said to be sent, yet not accepted"


def test_no_interleaving_sends_twice_or_loses(database: str) -> None:
    machine = type("Bound", (Deliveries,), {"dsn": database})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=40,
            stateful_step_count=40,
            derandomize=True,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
