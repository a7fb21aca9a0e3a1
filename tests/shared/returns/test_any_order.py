"""Whatever comes back in whatever order, states and suppressions are those of a naive model."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple
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

from services.api.core.refusals import NotFound
from services.api.suppressions import store as suppressions
from shared.deliveries import relay, worker
from shared.deliveries.states import State
from shared.deliveries.worker import Claim, Verdict
from shared.mail.return_path import ReturnPaths
from shared.returns import intake
from shared.returns.intake import Incoming, NotSettledYet, Read, Taken
from tests.shared.deliveries.conftest import LEASE, submit
from tests.shared.returns.mails import failure, feedback, letter, report

_PATHS = ReturnPaths("a secret of the tests, long enough", "bounces.example")
_MOST = 4
_EMAILS = ("ana@client.example", "Ben@client.example")
_pick = st.integers(min_value=0, max_value=10**6)


class Kind(NamedTuple):
    """A returned mail, by a number that tells it from others of its kind, and what it means."""

    written: Callable[[int], bytes]
    state: str | None = None
    code: str | None = None


def _failed(status: str, words: str, action: str = "failed") -> Callable[[int], bytes]:
    return lambda number: report(failure(status, words, action), says=f"Report {number}.")


_KINDS = {
    "gone": Kind(_failed("5.1.1", "550 5.1.1 user unknown"), "bounced", "suppressed_bounced"),
    "full": Kind(_failed("5.2.2", "552 5.2.2 mailbox full"), "bounced"),
    "policy": Kind(_failed("5.7.1", "550 5.7.1 blocked by policy"), "bounced"),
    "servers": Kind(_failed("5.4.4", "host not found"), "bounced"),
    "gave up": Kind(_failed("4.1.1", "450 4.1.1 user unknown"), "bounced"),
    "delay": Kind(_failed("4.4.1", "timed out", action="delayed")),
    "complaint": Kind(
        lambda number: feedback(f"Feedback-Type: abuse\nVersion: {number}"),
        "complained",
        "suppressed_complained",
    ),
    "away": Kind(lambda number: letter("Automatic reply: on holiday", f"Back in {number} days.")),
    "letter": Kind(lambda number: letter("user unknown", f"Who is user {number}?")),
}
_kind, _number = st.sampled_from(sorted(_KINDS)), st.integers(min_value=0, max_value=1)


@dataclass
class Mail:
    """What the model knows of a delivery; `came` has the effect of each mail that came back."""

    business: int
    email: str
    state: str = "scheduled"
    states: list[str] = field(default_factory=lambda: ["scheduled"])
    claim: Claim | None = None
    came: dict[tuple[str, int], list[str]] = field(default_factory=dict)

    def becomes(self, state: str) -> None:
        """Change the state, and remember each that the event log tells."""
        self.state = state
        if state != "committing":
            self.states.append(state)


class Returning(RuleBasedStateMachine):
    """Mails go out and come back; each rule changes the tables and the model."""

    dsn: str

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.conn = self.run(asyncpg.connect(self.dsn))
        self.run(self.conn.execute("TRUNCATE sends, statements, suppressions CASCADE"))
        # An address without a signature is accepted for all of these mails, and suppresses nobody.
        self.run(self.conn.execute("UPDATE return_paths SET signed_since = now() + '1 day'"))
        self.mails: dict[UUID, Mail] = {}
        self.suppressed: dict[tuple[int, str], str] = {}

    def run(self, work: Any) -> Any:
        return self.runner.run(work)

    def teardown(self) -> None:
        self.run(self.conn.close())
        self.runner.close()

    def picked(self, pick: int, *states: str) -> tuple[UUID, Mail] | None:
        found = [each for each in self.mails.items() if not states or each[1].state in states]
        return found[pick % len(found)] if found else None

    @precondition(lambda self: len(self.mails) < _MOST)
    @rule(business=st.sampled_from([1, 1, 2]), email=st.sampled_from(_EMAILS))
    def submit(self, business: int, email: str) -> None:
        [delivery] = self.run(submit(self.conn, [email], business=business))
        self.mails[delivery] = Mail(business, email)

    @precondition(lambda self: self.picked(0, "scheduled", "deferred"))
    @rule()
    def go_out(self) -> None:
        """The relay queues what is due and wanted, and a worker claims it."""
        self.run(relay.enqueue(self.conn, 100, LEASE))
        claims = self.run(worker.claim(self.conn, list(self.mails), LEASE))
        for delivery, mail in self.mails.items():
            if mail.state not in {"scheduled", "deferred"}:
                continue
            if (mail.business, mail.email.lower()) in self.suppressed:
                mail.becomes("suppressed")
                continue
            mail.becomes("queued")
            mail.becomes("sending")
            mail.claim = claims.pop(delivery)
        assert not claims

    @precondition(lambda self: self.picked(0, "sending"))
    @rule(pick=_pick)
    def pass_the_gate(self, pick: int) -> None:
        _, mail = self.picked(pick, "sending") or self.nothing()
        assert self.run(worker.gate(self.conn, [mail.claim], LEASE))
        mail.becomes("committing")

    @precondition(lambda self: any(mail.claim for mail in self.mails.values()))
    @rule(pick=_pick, reply=st.sampled_from(["sent", "sent", "in_doubt", "deferred", "failed"]))
    def reply(self, pick: int, reply: str) -> None:
        """The smarthost replies; maybe late, when the mail is in doubt or came back."""
        begun = [mail for mail in self.mails.values() if mail.claim]
        mail = begun[pick % len(begun)]
        decides = {"committing", "in_doubt"} if reply != "in_doubt" else {"committing"}
        decided = self.run(worker.record(self.conn, [Verdict(mail.claim, State(reply))]))  # type: ignore[arg-type]
        if mail.state == "sending" and decided:
            decides.add("sending")  # refused, or lost, before the gate
        assert bool(decided) == (mail.state in decides)
        if decided:
            mail.becomes(reply)
            if reply != "in_doubt":
                mail.claim = None

    @precondition(lambda self: self.mails)
    @rule(pick=_pick, kind=_kind, number=_number, signed=st.sampled_from([True, True, False]))
    def come_back(self, pick: int, kind: str, number: int, *, signed: bool) -> None:
        delivery, mail = self.picked(pick) or self.nothing()
        read = self.read(delivery, kind, number, signed=signed)
        if read is None:
            assert mail.state == "committing"
            return
        taken = self.run(intake.store(self.conn, read))
        self.took(delivery, (kind, number), taken, signed=signed)

    @precondition(lambda self: len(self.mails) > 1)
    @rule(pick=_pick, kinds=st.tuples(_kind, _kind), number=_number)
    def two_come_back(self, pick: int, kinds: tuple[str, str], number: int) -> None:
        """In one transaction, as the listener takes them in; maybe a copy of one, too."""
        first = pick % len(self.mails)
        chosen = [list(self.mails)[first], list(self.mails)[first - 1]]
        reads = [
            (delivery, kind, read)
            for delivery, kind in zip(chosen, kinds, strict=True)
            if (read := self.read(delivery, kind, number, signed=True)) is not None
        ]
        reads += [(delivery, kind, read._replace()) for delivery, kind, read in reads[: pick % 2]]
        if reads:
            taken = self.run(intake.store_all(self.conn, [read for _, _, read in reads]))
            together = [(each[0], each[1], one) for each, one in zip(reads, taken, strict=True)]
            # Of two that suppress one address, the delivery with the lower id says so.
            for delivery, kind, one in sorted(together, key=lambda each: each[0]):
                self.took(delivery, (kind, number), one, signed=True)

    @rule(business=st.sampled_from([1, 2]), email=st.sampled_from(_EMAILS))
    def lift(self, business: int, email: str) -> None:
        with suppress(NotFound):
            self.run(suppressions.lift(self.conn, business, email, "a test", "it exists"))
            assert (business, email.lower()) in self.suppressed
        self.suppressed.pop((business, email.lower()), None)

    def read(self, delivery: UUID, kind: str, number: int, *, signed: bool) -> Read | None:
        """Read a returned mail; None if its mail is being handed over at this moment."""
        unsigned = f"post+bounce-{delivery.hex}@ledgerpost.example"
        address = _PATHS.address(delivery) if signed else unsigned
        incoming = Incoming(_KINDS[kind].written(number), "smtp", address)
        found = self.run(intake.match(self.conn, address, _PATHS))
        try:
            return Read(incoming, found, self.run(intake.read(incoming, found)))
        except NotSettledYet:
            return None

    def took(
        self, delivery: UUID, came: tuple[str, int], taken: Taken | None, *, signed: bool
    ) -> None:
        """Carry out in the model what this mail means: nothing, if it came before."""
        mail = self.mails[delivery]
        assert taken is not None
        assert taken.is_copy == (came in mail.came)
        if taken.is_copy:
            return
        kind, effect, key = _KINDS[came[0]], [], (mail.business, mail.email.lower())
        if kind.state and mail.state in {"sent", "in_doubt"}:
            mail.becomes(kind.state)
            effect.append(kind.state)
        if kind.code and signed and key not in self.suppressed:
            self.suppressed[key] = kind.code
            effect.append("suppressed")
        mail.came[came] = effect

    @staticmethod
    def nothing() -> tuple[UUID, Mail]:
        raise AssertionError("a precondition failed")

    @invariant()
    def is_as_the_model(self) -> None:
        fetch = self.conn.fetch
        states = dict(self.run(fetch("SELECT id, state FROM deliveries")))
        assert states == {key: mail.state for key, mail in self.mails.items()}
        listed = self.run(fetch("SELECT business_id, email_key, reason_code FROM suppressions"))
        assert {(business, key): code for business, key, code in listed} == self.suppressed
        returns = self.run(fetch("SELECT delivery_id, effect FROM returns"))
        stored = sorted((str(key), list(effect)) for key, effect in returns)
        modelled = [(str(k), e) for k, mail in self.mails.items() for e in mail.came.values()]
        assert stored == sorted(modelled)
        events: dict[UUID, list[str]] = {key: [] for key in self.mails}
        told = self.run(fetch("SELECT delivery_id, state FROM delivery_events ORDER BY id"))
        for key, state in told:
            events[key].append(state)
        assert events == {key: mail.states for key, mail in self.mails.items()}


def test_any_order_of_returned_mails_means_what_the_model_says(database: str) -> None:
    machine = type("Bound", (Returning,), {"dsn": database})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=25,
            stateful_step_count=40,
            derandomize=True,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
