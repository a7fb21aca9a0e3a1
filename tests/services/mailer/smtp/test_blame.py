"""A smarthost that refuses all mails fails none: on the judge, and on a real postfix."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.mailer.delivery.pacing import Pacing
from services.mailer.delivery.worker import Worker
from services.mailer.smtp.outcomes import RefusesAll, SmarthostAtFault
from services.mailer.smtp.pool import SessionPool
from shared.amqp.breaker import Breaker, Pauses
from shared.deliveries.reasons import ReasonCode
from shared.deliveries.states import State
from shared.deliveries.worker import Claim, Verdict
from shared.mail.envelope import Envelope
from shared.mail.mailbox import Mailbox
from shared.mail.message import Message, Subject
from shared.mail.return_path import ReturnPaths
from shared.process.health import Unwell
from tests.judge import postfix
from tests.judge.mail import PATIENT, smarthost
from tests.judge.script import Rule, Say, Step
from tests.judge.server import Judge
from tests.servers import absent

LIMIT = 20
SENDER = Mailbox.parse(
    "Statements <statements@x.example>", paths=ReturnPaths("s" * 32, "x.example")
)


class Table:
    """An in-memory store of deliveries, for one mailer."""

    def __init__(self, recipients: list[str]) -> None:
        self.state = {uuid4(): State.QUEUED for _ in recipients}
        self.email = dict(zip(self.state, recipients, strict=True))
        self.attempts = dict.fromkeys(self.state, 0)
        self.reasons: dict[UUID, str | None] = dict.fromkeys(self.state)
        self.codes: dict[UUID, str | None] = {}

    async def claim(self, delivery_id: UUID) -> Claim | None:
        now = datetime.now(UTC)
        return Claim(
            id=delivery_id,
            token=1,
            send_id=uuid4(),
            business_id=1,
            email=self.email[delivery_id],
            attempts=self.attempts[delivery_id],
            created_at=now,
            personal_message=None,
            statement_sha256=b"",
        )

    async def gate(self, _: Claim) -> bool:
        return True

    async def record(self, verdict: Verdict) -> bool:
        self.state[verdict.claim.id] = verdict.state
        self.attempts[verdict.claim.id] += verdict.counts
        self.reasons[verdict.claim.id] = verdict.reason
        self.codes[verdict.claim.id] = verdict.reason_code
        return True

    async def postpone(
        self, delivery_id: UUID, _: timedelta, reason: str, code: ReasonCode
    ) -> None:
        self.reasons[delivery_id] = reason
        self.codes[delivery_id] = code

    def release(self, _: Claim) -> None:
        """Nobody else is there to take it."""

    def states(self) -> dict[str, State]:
        return {self.email[key]: state for key, state in self.state.items()}


class Desk:
    """The mailer without Postgres and RabbitMQ: waiting mails are tried repeatedly."""

    redirects = False

    def __init__(self, judge: Judge, recipients: list[str], sender: Mailbox = SENDER) -> None:
        self.message = Message(
            sender, Subject(b"Subject: x\r\n", b"", frozenset()), b"", b"text\r\n"
        )
        self.table = Table(recipients)
        self.sessions = SessionPool(smarthost(judge), 5, PATIENT, "client.test")
        self.breaker = Breaker("smarthost", self.sessions.probe, SmarthostAtFault)
        parts: Any = (self.table, self, Pacing(None, None, 1), self.sessions, self.breaker)
        self.deliver = Worker(*parts, timedelta(seconds=1), self)

    def recipient(self, claim: Claim) -> str:
        return claim.email

    async def envelope(self, claim: Claim) -> Envelope:
        return self.message.envelope(claim.email, claim.id)

    def delivered(self, verdict: Verdict, seconds: float) -> None:
        """Nobody counts."""

    async def consume(self) -> None:
        """Take all waiting mails at once while the breaker is closed."""
        async with asyncio.timeout(LIMIT):
            while waiting := [
                key
                for key, state in self.table.state.items()
                if state in {State.QUEUED, State.DEFERRED}
            ]:
                await self.breaker.mended()
                await asyncio.gather(*(self.deliver(key) for key in waiting))
                await asyncio.sleep(0.05)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RefusesAll, "pauses", Pauses(0.05, 0.2, trial=True))
    monkeypatch.setattr("services.mailer.smtp.trial._GIVES_WAY", 0.1)


@asynccontextmanager
async def consuming(desk: Desk) -> AsyncIterator[asyncio.Task[None]]:
    watch = asyncio.create_task(desk.breaker.watch())
    work = asyncio.create_task(desk.consume())
    try:
        yield work
    finally:
        for task in (work, watch):
            task.cancel()
        await asyncio.gather(work, watch, return_exceptions=True)
        await desk.sessions.close()


async def met(rule: Rule, times: int) -> None:
    async with asyncio.timeout(LIMIT):
        while rule.met < times:
            await asyncio.sleep(0.01)


REFUSALS: list[tuple[Step, str]] = [
    ("rcpt", "504 5.5.2 <localhost>: Helo command rejected: need fully-qualified hostname"),
    ("rcpt", "554 5.7.1 <x@y.z>: Sender address rejected: Access denied"),
    ("rcpt", "554 5.7.1 no"),
    ("data", "554 no"),
    ("dot", "550 5.4.5 Daily user sending limit exceeded"),
    ("dot", "550 You have exceeded your daily sending limit"),
]


@pytest.mark.parametrize(("step", "said"), REFUSALS, ids=[said for _, said in REFUSALS])
async def test_who_refuses_everybody_fails_nobody(step: Step, said: str) -> None:
    async with Judge() as judge:
        rule = judge.on(step, Say(said))
        desk = Desk(judge, [f"r{number}@x.example" for number in range(20)])
        async with consuming(desk) as work:
            await met(rule, 9)
            first = rule.met
            with pytest.raises(Unwell, match=r"consumption pauses|on trial"):
                await desk.breaker.check()
            assert first < 20, "those that waited for a connection were tried too"
            assert set(desk.table.states().values()) <= {State.QUEUED, State.DEFERRED}
            assert sum(desk.table.attempts.values()) <= 1, "an attempt counted"
            judge.rules.clear()
            await work
        assert set(desk.table.states().values()) == {State.SENT}
        assert set(judge.counts().values()) == {1}
        await desk.breaker.check()


async def test_on_trial_it_tries_one_mail_a_pause() -> None:
    async with Judge() as judge:
        rule = judge.on("dot", Say("550 5.4.5 quota"))
        desk = Desk(judge, [f"r{number}@x.example" for number in range(20)])
        async with consuming(desk) as work:
            await met(rule, 5)
            await asyncio.sleep(1)
            assert rule.met <= 5 + 1 / 0.05
            assert judge.sessions <= 5
            judge.rules.clear()
            await work


@pytest.mark.parametrize("said", ["550 5.7.1 not you", "504 5.5.2 not you"])
async def test_who_refuses_one_recipient_fails_that_one_and_holds_up_nobody(said: str) -> None:
    async with Judge() as judge:
        judge.on("rcpt", Say(said), recipient="bad@x.example")
        desk = Desk(judge, ["bad@x.example", *(f"r{number}@x.example" for number in range(9))])
        async with consuming(desk) as work:
            await judge.until(lambda j: len(j.accepted) == 9)
            if said.startswith("550"):
                await work
            else:
                for _ in range(20):
                    await asyncio.sleep(0.05)
        states = desk.table.states()
        # What speaks of the session is tried until the mail expires, which Postgres sees to.
        end = State.FAILED if said.startswith("550") else State.DEFERRED
        assert states.pop("bad@x.example") == end
        assert set(states.values()) == {State.SENT}


async def test_a_postfix_that_knows_one_sender_only() -> None:
    if (reason := postfix.unavailable()) is not None:
        absent(reason)
    settings = (
        "smtpd_sender_restrictions = check_sender_access inline:{statements@x.example=OK}, reject\n"
    )
    async with postfix.postfix(settings) as (port, taken):
        judge = Judge(port=port)
        desk = Desk(judge, ["a@d.org", "b@d.org", "c@d.org"])
        async with consuming(desk):
            async with asyncio.timeout(LIMIT):
                while desk.breaker.doubt is None:
                    await asyncio.sleep(0.01)
            assert "554 5.7.1" in desk.breaker.doubt
            assert set(desk.table.states().values()) <= {State.QUEUED, State.DEFERRED}
        assert await taken() == 0
        plain = Mailbox.parse("Statements <statements@x.example>")
        desk = Desk(judge, ["a@d.org", "b@d.org", "c@d.org"], plain)
        async with consuming(desk) as work:
            await work
        assert set(desk.table.states().values()) == {State.SENT}
        assert await taken() == 3
