"""A conflict of transactions costs a mail neither an attempt nor a claim."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from services.mailer.delivery import claims as module
from services.mailer.delivery.claims import Claims
from services.mailer.delivery.pacing import Pacing
from services.mailer.delivery.worker import Worker
from services.mailer.smtp.outcomes import GateLost, Outcome, Sent
from services.mailer.smtp.transaction import Gate
from shared.amqp.breaker import Breaker
from shared.db import postgres
from shared.deliveries import relay
from shared.deliveries.states import State
from shared.deliveries.worker import Claim, Verdict
from shared.mail.envelope import Envelope
from shared.mail.mailbox import Mailbox
from shared.mail.message import Message, Subject
from tests.shared.deliveries.conftest import submit

_LEASE = timedelta(minutes=1)
_MESSAGE = Message(
    Mailbox.parse("x@x.example"), Subject(b"Subject: x\r\n", b"", frozenset()), b"", b"text\r\n"
)


@pytest.fixture
async def conn(database: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database)
    yield connection
    await connection.close()


@pytest.fixture
async def claims(database: str) -> AsyncIterator[Claims]:
    async with postgres.pool(database, name="test", size=3) as pool:
        yield Claims(pool, _LEASE, lambda: None)


async def conflict_when(conn: asyncpg.Connection, state: State, times: int = 1_000) -> None:
    """Let the next `times` changes to `state` fail as in a deadlock."""
    await conn.execute("CREATE SEQUENCE conflicts")
    await conn.execute(f"""
        CREATE FUNCTION conflict() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF nextval('conflicts') <= {times} THEN
                RAISE EXCEPTION 'deadlock detected' USING ERRCODE = '40P01';
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER conflict BEFORE UPDATE ON deliveries FOR EACH ROW
            WHEN (NEW.state = '{state}') EXECUTE FUNCTION conflict()
    """)


class Desk:
    """A composer and a smarthost that takes each mail whose gate is passed."""

    redirects = False
    dots = 0

    def __init__(self, error: Exception | None = None) -> None:
        self._error = error

    def recipient(self, claim: Claim) -> str:
        return claim.email

    async def envelope(self, claim: Claim) -> Envelope:
        if self._error is not None:
            raise self._error
        return _MESSAGE.envelope(claim.email, claim.id)

    async def hand_over(self, _: Envelope, gate: Gate, business: int) -> Outcome:
        if not await gate():
            return GateLost()
        self.dots += 1
        return Sent("250 ok")

    async def probe(self) -> None:
        """Nothing has to be mended."""

    def delivered(self, verdict: Verdict, seconds: float) -> None:
        """Nobody counts."""


async def delivered(claims: Claims, conn: asyncpg.Connection, desk: Desk) -> tuple[Any, ...]:
    """Deliver a mail, and return its state, attempts, claims and reason code."""
    [delivery] = await submit(conn, ["a@x.example"])
    await relay.enqueue(conn, 10, _LEASE)
    parts: Any = (claims, desk, Pacing(None, None, 1), desk)
    breaker = Breaker("smarthost", desk.probe, ConnectionError)
    await Worker(*parts, breaker, timedelta(seconds=1), desk)(delivery)
    return tuple(await conn.fetchrow("SELECT state, attempts, claims, reason_code FROM deliveries"))


async def test_a_conflict_while_a_mail_is_made_defers_it(
    claims: Claims, conn: asyncpg.Connection
) -> None:
    desk = Desk(asyncpg.SerializationError("could not serialize access"))
    assert await delivered(claims, conn, desk) == ("deferred", 0, 0, "mail_not_made_yet")


async def test_a_conflict_at_the_gate_defers_the_mail_without_a_dot(
    claims: Claims, conn: asyncpg.Connection
) -> None:
    await conflict_when(conn, State.COMMITTING)
    desk = Desk()
    assert await delivered(claims, conn, desk) == ("deferred", 0, 0, "gate_not_passed")
    assert desk.dots == 0


async def test_an_outcome_is_recorded_after_any_number_of_conflicts(
    claims: Claims, conn: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_RETRY_S", 0.001)
    await conflict_when(conn, State.SENT, times=20)
    desk = Desk()
    assert await delivered(claims, conn, desk) == ("sent", 1, 0, None)
    assert desk.dots == 1
