"""The dot is written only after the gate passed."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from services.mailer.smtp.outcomes import (
    Deferred,
    Failed,
    GateLost,
    NotHandedOver,
    Outcome,
    Sent,
)
from services.mailer.smtp.pool import SessionPool
from shared.deliveries.reasons import ReasonCode
from shared.mail.envelope import Envelope
from tests.judge.mail import PATIENT, Gate, envelope, smarthost
from tests.judge.script import Action, Delay, Drop, HalfClose, Reset, Say
from tests.judge.server import Judge

BRIEF_GATE = replace(PATIENT, gate=0.3)


@pytest.fixture
async def sessions(judge: Judge) -> AsyncIterator[SessionPool]:
    sessions = SessionPool(smarthost(judge), 1, BRIEF_GATE, "client.test")
    yield sessions
    await sessions.close()


async def no_dot_came(judge: Judge, mail: Envelope) -> None:
    """The judge saw the whole body, then the end of the connection, and no other word."""
    await judge.until(lambda j: j.sessions == 0)
    assert judge.accepted == []
    assert [aborted.data for aborted in judge.aborted] == [mail.data]
    assert judge.commands[-1] == "DATA"


async def test_at_the_gate_the_smarthost_holds_the_body_and_no_dot(
    judge: Judge, sessions: SessionPool
) -> None:
    mail = envelope(text="x" * 70 + "\n" + "y" * 70)
    seen = []

    async def gate() -> bool:
        await asyncio.sleep(0.05)
        seen.append((len(judge.accepted), judge.sessions))
        return True

    assert isinstance(await sessions.hand_over(mail, gate), Sent)
    assert seen == [(0, 1)]
    assert [m.data for m in judge.accepted] == [mail.data]


async def test_a_lost_gate_aborts(judge: Judge, sessions: SessionPool) -> None:
    mail = envelope()
    assert await sessions.hand_over(mail, Gate(answer=False)) == GateLost()
    await no_dot_came(judge, mail)


@pytest.mark.parametrize("answer", [None, 1, "UPDATE 0"])
async def test_only_true_opens_the_gate(
    judge: Judge, sessions: SessionPool, answer: object
) -> None:
    mail = envelope()
    assert await sessions.hand_over(mail, Gate(answer=answer)) == GateLost()
    await no_dot_came(judge, mail)


async def test_a_gate_without_an_answer_is_cancelled_and_aborts(
    judge: Judge, sessions: SessionPool
) -> None:
    mail, cancelled = envelope(), asyncio.Event()

    async def gate() -> bool:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        return True

    assert isinstance(await sessions.hand_over(mail, gate), NotHandedOver)
    assert cancelled.is_set()
    await no_dot_came(judge, mail)


async def test_a_frozen_process_finds_the_gate_too_old(judge: Judge, sessions: SessionPool) -> None:
    mail = envelope()

    async def gate() -> bool:
        time.sleep(0.4)  # noqa: ASYNC251 - the loop shall stand still, as under SIGSTOP
        return True

    assert await sessions.hand_over(mail, gate) == NotHandedOver(
        "the gate was too slow", code=ReasonCode.GATE_NOT_PASSED
    )
    await no_dot_came(judge, mail)


@pytest.mark.parametrize("error", [RuntimeError, TimeoutError, ConnectionResetError])
async def test_what_the_gate_raises_passes_after_the_abort(
    judge: Judge, sessions: SessionPool, error: type[Exception]
) -> None:
    mail = envelope()

    async def gate() -> bool:
        raise error("COMMIT was lost")

    with pytest.raises(error, match="COMMIT was lost"):
        await sessions.hand_over(mail, gate)
    await no_dot_came(judge, mail)


async def test_a_cancelled_hand_over_aborts(judge: Judge, sessions: SessionPool) -> None:
    mail, reached = envelope(), asyncio.Event()

    async def gate() -> bool:
        reached.set()
        await asyncio.Event().wait()
        return True

    task = asyncio.create_task(sessions.hand_over(mail, gate))
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await no_dot_came(judge, mail)


@pytest.mark.parametrize("action", [Drop(), Reset(), HalfClose(), Say("421 4.4.2 bye"), Say("250")])
async def test_a_smarthost_that_leaves_or_speaks_during_the_gate_gets_no_dot(
    judge: Judge, sessions: SessionPool, action: Action
) -> None:
    judge.on("body", Delay(0.05), action)

    async def gate() -> bool:
        await asyncio.sleep(0.2)
        return True

    outcome = await sessions.hand_over(envelope(), gate)
    assert isinstance(outcome, NotHandedOver)
    await judge.until(lambda j: j.sessions == 0)
    assert judge.accepted == []
    assert len(judge.aborted) == 1


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        (
            "452 4.3.1 full",
            Deferred(
                "put off at the message's text", "452 4.3.1 full", code=ReasonCode.SMARTHOST_BUSY
            ),
        ),
        (
            "552 5.2.2 big",
            Failed("refused at the message's text", "552 5.2.2 big", code=ReasonCode.MAILBOX_FULL),
        ),
        (
            "250 huh",
            Deferred(
                "unexpected reply at the message's text",
                "250 huh",
                code=ReasonCode.SMARTHOST_PROTOCOL_ERROR,
            ),
        ),
    ],
)
async def test_a_smarthost_that_speaks_before_the_gate_is_believed(
    said: str, outcome: Outcome
) -> None:
    # So much does not fit into the kernel's buffers: the smarthost has read and spoken by then.
    big, gate = envelope(text="\n".join(["z" * 76] * 100_000)), Gate()
    async with Judge() as judge:
        judge.on("body", Say(said))
        sessions = SessionPool(smarthost(judge), 1, PATIENT, "client.test")
        assert await sessions.hand_over(big, gate) == outcome
        assert (gate.asked, judge.accepted) == (0, [])


@pytest.mark.parametrize("data", [b"small\r\n", b"big\r\n" * 2_000_000], ids=["small", "big"])
async def test_a_connection_that_ends_before_the_gate_spares_the_gate(data: bytes) -> None:
    gate = Gate()
    async with Judge() as judge:
        judge.on("data", Say("354 go on"), Drop())
        sessions = SessionPool(smarthost(judge), 1, PATIENT, "client.test")
        assert isinstance(await sessions.hand_over(envelope(data=data), gate), Deferred)
        assert (gate.asked, judge.accepted) == (0, [])


async def test_a_connection_that_ends_with_the_gates_answer_gets_no_dot(
    judge: Judge, sessions: SessionPool
) -> None:
    async def gate() -> bool:
        await judge.stop()  # no turn of the loop lies between the FIN and this answer
        return True

    outcome = await sessions.hand_over(envelope(), gate)
    assert outcome == NotHandedOver(
        "at the gate: the smarthost closed the connection", code=ReasonCode.CONNECTION_LOST
    )
    assert judge.accepted == []


async def test_after_a_lost_gate_the_next_mail_takes_a_new_connection(
    judge: Judge, sessions: SessionPool
) -> None:
    await sessions.hand_over(envelope("a@example.org"), Gate(answer=False))
    assert isinstance(await sessions.hand_over(envelope("b@example.org"), Gate()), Sent)
    assert judge.connections == 2
    assert [mail.recipient for mail in judge.accepted] == ["b@example.org"]


@pytest.mark.parametrize(
    "data",
    [
        b"a\nb\r\n",
        b"a\rb\r\n",
        b"a\r\n.\n\r\n",
        b"a\n.\r\n",
        b"a\r\r\n",
        b"no end of line",
        b"x" * 999 + b"\r\n",
        b"caf\xc3\xa9\r\n",
        b"nul\0\r\n",
        b"",
    ],
)
async def test_bytes_that_could_smuggle_are_refused_before_a_connection(
    judge: Judge, sessions: SessionPool, data: bytes
) -> None:
    outcome = await sessions.hand_over(envelope(data=data), Gate())
    assert isinstance(outcome, Failed)
    assert outcome.reason.startswith("unsendable")
    assert judge.connections == 0


@pytest.mark.parametrize(
    "recipient", ["a@b\r\nRCPT TO:<c@d>", "a@b> X", "a b@c", "a@b\0", "", "a", "jörg@example.org"]
)
async def test_addresses_that_could_smuggle_are_refused_before_a_connection(
    judge: Judge, sessions: SessionPool, recipient: str
) -> None:
    outcome = await sessions.hand_over(envelope(recipient), Gate())
    assert outcome == Failed(
        "unsendable: an address is malformed", code=ReasonCode.MAIL_NOT_MAKEABLE
    )
    assert judge.connections == 0
