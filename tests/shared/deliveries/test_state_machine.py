"""Any interleaving of relays, workers, crashes and sweeps keeps the promise, on the real tables."""

import asyncio
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

from shared.deliveries import held, waiting
from shared.deliveries.held import Claim, Verdict
from shared.deliveries.states import State
from tests.shared.deliveries.conftest import LEASE, submit

_pick = st.integers(min_value=0, max_value=10**6)


@dataclass
class Attempt:
    """A worker's hold on a delivery; it may stall at any point and go on much later."""

    claim: Claim
    passed_gate: bool = False
    wrote_dot: bool = False


class Deliveries(RuleBasedStateMachine):
    """Workers share nothing but the tables; the relay is the set of accepted mails."""

    dsn: str

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.conn = self.run(asyncpg.connect(self.dsn))
        self.run(self.conn.execute("TRUNCATE sends, statements, suppressions CASCADE"))
        self.ids: list[UUID] = []
        self.attempts: list[Attempt] = []
        self.accepted: dict[UUID, int] = {}

    def run(self, work: Any) -> Any:
        return self.runner.run(work)

    def teardown(self) -> None:
        self.drain()
        self.run(self.conn.close())
        self.runner.close()

    def drain(self) -> None:
        """With all workers gone, sweeping and sending comes to an end with nothing lost."""
        for _ in range(3 * waiting.MAX_CLAIMS):
            self.run(
                self.conn.execute(
                    "UPDATE deliveries SET lease_until = now() - interval '1s'"
                    " WHERE lease_until IS NOT NULL"
                )
            )
            self.run(
                self.conn.execute(
                    "UPDATE deliveries SET due_at = now() - interval '1s'"
                    " WHERE state IN ('scheduled', 'deferred')"
                )
            )
            self.sweep()
            self.run(waiting.enqueue(self.conn, 100, LEASE))
            for claim in self.run(held.claim(self.conn, self.ids, LEASE)).values():
                assert self.run(held.gate(self.conn, [claim], LEASE))
                self.accepted[claim.id] = self.accepted.get(claim.id, 0) + 1
                self.run(held.record(self.conn, [Verdict(claim, State.SENT)]))
        states = dict(self.run(self.conn.fetch("SELECT id, state FROM deliveries")))
        for delivery in self.ids:
            visible = {"failed", "in_doubt", "cancelled", "expired", "suppressed"}
            assert self.accepted.get(delivery) or states[delivery] in visible, "lost"
        self.promise()

    @rule(recipients=st.integers(min_value=1, max_value=3))
    def submit(self, recipients: int) -> None:
        emails = [f"r{n}@x.example" for n in range(recipients)]
        self.ids += self.run(submit(self.conn, emails))

    @rule()
    def enqueue(self) -> None:
        self.run(waiting.enqueue(self.conn, 100, LEASE))

    @precondition(lambda self: self.ids)
    @rule(pick=_pick)
    def deliver_message(self, pick: int) -> None:
        """Also stands for a redelivery: any message may come at any time, any number of times."""
        claims = self.run(held.claim(self.conn, [self.ids[pick % len(self.ids)]], LEASE))
        self.attempts += [Attempt(claim) for claim in claims.values()]

    @precondition(lambda self: self.attempts)
    @rule(pick=_pick)
    def gate(self, pick: int) -> None:
        attempt = self.attempts[pick % len(self.attempts)]
        if not attempt.passed_gate:
            attempt.passed_gate = bool(self.run(held.gate(self.conn, [attempt.claim], LEASE)))
            if not attempt.passed_gate:
                self.attempts.remove(attempt)

    @precondition(lambda self: any(a.passed_gate and not a.wrote_dot for a in self.attempts))
    @rule(pick=_pick, verdict=st.sampled_from([State.SENT, State.DEFERRED, State.FAILED]))
    def write_dot_and_hear(self, pick: int, verdict: State) -> None:
        ready = [a for a in self.attempts if a.passed_gate and not a.wrote_dot]
        attempt = ready[pick % len(ready)]
        attempt.wrote_dot = True
        if verdict is State.SENT:
            delivery = attempt.claim.id
            self.accepted[delivery] = self.accepted.get(delivery, 0) + 1
        self.attempts.remove(attempt)
        self.run(held.record(self.conn, [Verdict(attempt.claim, verdict)]))

    @precondition(lambda self: any(a.passed_gate for a in self.attempts))
    @rule(pick=_pick, taken=st.booleans(), noticed=st.booleans())
    def write_dot_and_hear_nothing(self, pick: int, *, taken: bool, noticed: bool) -> None:
        """The relay took the mail or not; the worker notices the drop, or dies with it."""
        ready = [a for a in self.attempts if a.passed_gate]
        attempt = ready[pick % len(ready)]
        self.attempts.remove(attempt)
        if taken:
            delivery = attempt.claim.id
            self.accepted[delivery] = self.accepted.get(delivery, 0) + 1
        if noticed:
            self.run(held.record(self.conn, [Verdict(attempt.claim, State.IN_DOUBT)]))

    @precondition(lambda self: any(not a.passed_gate for a in self.attempts))
    @rule(pick=_pick, verdict=st.sampled_from([State.DEFERRED, State.FAILED]), counts=st.booleans())
    def refused_before_the_gate(self, pick: int, verdict: State, *, counts: bool) -> None:
        early = [a for a in self.attempts if not a.passed_gate]
        attempt = early[pick % len(early)]
        self.attempts.remove(attempt)
        self.run(held.record(self.conn, [Verdict(attempt.claim, verdict, counts=counts)]))

    @precondition(lambda self: self.attempts)
    @rule(pick=_pick)
    def crash(self, pick: int) -> None:
        self.attempts.pop(pick % len(self.attempts))

    @precondition(lambda self: self.ids)
    @rule(pick=_pick)
    def lease_expires(self, pick: int) -> None:
        self.run(
            self.conn.execute(
                "UPDATE deliveries SET lease_until = clock_timestamp() - interval '1s'"
                " WHERE id = $1 AND lease_until IS NOT NULL",
                self.ids[pick % len(self.ids)],
            )
        )

    @rule()
    def time_passes(self) -> None:
        self.run(
            self.conn.execute(
                "UPDATE deliveries SET due_at = now() - interval '1s' WHERE state = 'deferred'"
            )
        )

    @rule()
    def sweep(self) -> None:
        self.run(waiting.sweep(self.conn, 100))
        self.run(waiting.reemit(self.conn, 100, LEASE, queue_is_empty=True))

    @precondition(lambda self: self.ids)
    @rule(pick=_pick)
    def cancel(self, pick: int) -> None:
        self.run(
            self.conn.execute(
                "UPDATE deliveries SET state = 'cancelled', updated_at = clock_timestamp()"
                " WHERE id = $1 AND state IN ('scheduled', 'queued', 'sending', 'deferred')",
                self.ids[pick % len(self.ids)],
            )
        )

    @precondition(lambda self: self.ids)
    @rule(pick=_pick)
    def postpone(self, pick: int) -> None:
        ids = [self.ids[pick % len(self.ids)]]
        self.run(held.postpone(self.conn, ids, timedelta(0), "the relay is away"))

    @invariant()
    def promise(self) -> None:
        assert all(times == 1 for times in self.accepted.values()), "sent twice"
        states = dict(self.run(self.conn.fetch("SELECT id, state FROM deliveries")))
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
            max_examples=60,
            stateful_step_count=40,
            derandomize=True,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
