"""Drops, resets, hangs and nonsense at every moment, and their outcomes."""

import asyncio
import time
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from services.mailer.smtp.outcomes import (
    Deferred,
    InDoubt,
    NotHandedOver,
    Outcome,
    Sent,
    SmarthostAtFault,
)
from services.mailer.smtp.pool import SessionPool
from services.mailer.smtp.smarthost import Timeouts
from shared.deliveries.reasons import ReasonCode
from tests.judge.mail import PATIENT, Gate, envelope, smarthost
from tests.judge.script import (
    Accept,
    Action,
    Delay,
    Drop,
    Flood,
    HalfClose,
    Hang,
    Reset,
    Say,
    Step,
)
from tests.judge.server import Judge

ENDS = [Drop(), Reset(), HalfClose(), Say(b"\xff\xfe\x00what\r\n", raw=True), Say("999 no code")]
FLOODS = [Flood(b"x" * 65536), Flood(b"250-more\r\n" * 6000)]
BIG = "\n".join(["z" * 76] * 100_000)


@pytest.fixture(params=[True, False], ids=["pipelining", "step by step"])
async def judge(request: pytest.FixtureRequest) -> AsyncIterator[Judge]:
    async with Judge(pipelining=request.param, receive_buffer=8192) as judge:
        yield judge


async def hand_over(
    judge: Judge,
    timeouts: Timeouts = PATIENT,
    gate: Callable[[], Awaitable[bool]] | None = None,
    **fields: Any,
) -> Outcome:
    sessions = SessionPool(smarthost(judge), 1, timeouts, "client.test")
    try:
        return await sessions.hand_over(envelope(**fields), gate or Gate())
    finally:
        await sessions.close()


@pytest.mark.parametrize("action", [*ENDS, *FLOODS, Say("554 5.3.0 no"), Say("421 no")], ids=repr)
@pytest.mark.parametrize("step", ["connect", "ehlo", "mail"])
async def test_before_mail_is_answered_the_smarthost_is_at_fault(
    judge: Judge, step: Step, action: Action
) -> None:
    judge.on(step, action)
    judge.on("helo", action)
    gate = Gate()
    with pytest.raises(SmarthostAtFault):
        await hand_over(judge, gate=gate)
    assert (gate.asked, judge.accepted) == (0, [])


@pytest.mark.parametrize("action", [*ENDS, *FLOODS], ids=repr)
@pytest.mark.parametrize("step", ["rcpt", "data"])
async def test_before_354_the_mail_is_deferred(judge: Judge, step: Step, action: Action) -> None:
    judge.on(step, action)
    gate = Gate()
    assert isinstance(await hand_over(judge, gate=gate), Deferred)
    assert (gate.asked, judge.accepted) == (0, [])


@pytest.mark.parametrize("action", ENDS, ids=repr)
async def test_in_mid_body_the_mail_is_not_handed_over(judge: Judge, action: Action) -> None:
    judge.on("body", action)

    async def gate() -> bool:
        await asyncio.sleep(0.1)
        return True

    # A small body is in the kernel's hands before the smarthost reacts: then the gate notices.
    small = await hand_over(judge, gate=gate)
    assert isinstance(small, Deferred | NotHandedOver)
    big = await hand_over(judge, gate=gate, text=BIG)
    assert isinstance(big, Deferred | NotHandedOver)
    assert judge.accepted == []


async def test_a_smarthost_that_reads_no_more_of_the_body_is_given_up_before_the_gate(
    judge: Judge,
) -> None:
    judge.on("body", Hang(reading=False))
    gate = Gate()
    outcome = await hand_over(judge, replace(PATIENT, block=0.3), gate, text=BIG)
    assert outcome == Deferred(
        "before the gate: the smarthost took no more data", code=ReasonCode.SMARTHOST_TIMEOUT
    )
    assert (gate.asked, judge.accepted) == (0, [])


async def test_a_smarthost_that_reads_slowly_has_the_time_to_the_gate_and_no_more(
    judge: Judge,
) -> None:
    judge.on("body", Hang(reading=False))
    gate = Gate()
    outcome = await hand_over(judge, replace(PATIENT, to_gate=0.5), gate, text=BIG)
    assert outcome == Deferred(
        "before the gate: the smarthost took no more data", code=ReasonCode.SMARTHOST_TIMEOUT
    )
    assert gate.asked == 0


@pytest.mark.parametrize("action", [*ENDS, *FLOODS], ids=repr)
@pytest.mark.parametrize("taken", [True, False], ids=["taken", "not taken"])
async def test_after_the_dot_a_lost_reply_is_in_doubt(
    *, judge: Judge, action: Action, taken: bool
) -> None:
    judge.on("dot", *([Accept()] if taken else []), action)
    assert isinstance(await hand_over(judge), InDoubt)
    assert len(judge.accepted) == taken


async def test_half_a_reply_after_the_dot_decides_nothing(judge: Judge) -> None:
    judge.on("dot", Accept(), Say(b"250-2.0.0 taken\r\n25", raw=True))
    judge.on("dot", Accept(), Drop())
    assert isinstance(await hand_over(judge, replace(PATIENT, final=0.15)), InDoubt)


@pytest.mark.parametrize(
    ("step", "phase"),
    [("connect", "ready"), ("ehlo", "ready"), ("mail", "mail"), ("rcpt", "rcpt"), ("data", "data")],
)
async def test_a_hang_before_the_gate_ends_with_its_phase(
    judge: Judge, step: Step, phase: str
) -> None:
    judge.on(step, Hang())
    gate = Gate()
    timeouts = replace(PATIENT, **{phase: 0.15})
    if step in {"rcpt", "data"}:
        outcome = await hand_over(judge, timeouts, gate)
        if step == "rcpt" and judge.pipelining:
            assert isinstance(outcome, NotHandedOver)  # asked again step by step
        else:
            assert outcome == Deferred(
                "before the gate: no answer in time", code=ReasonCode.SMARTHOST_TIMEOUT
            )
    else:
        with pytest.raises(SmarthostAtFault):
            await hand_over(judge, timeouts, gate)
    assert (gate.asked, judge.accepted) == (0, [])


async def test_all_before_the_gate_together_has_an_end_too() -> None:
    gate = Gate()
    async with Judge() as judge:
        judge.on("connect", Hang(), times=1)
        judge.on("data", Hang())
        with pytest.raises(SmarthostAtFault):
            await hand_over(judge, replace(PATIENT, to_gate=0.2), gate)
        async with asyncio.timeout(PATIENT.data / 2):
            outcome = await hand_over(judge, replace(PATIENT, to_gate=0.8), gate)
        assert outcome == Deferred(
            "before the gate: no answer in time", code=ReasonCode.SMARTHOST_TIMEOUT
        )
    assert gate.asked == 0


async def test_a_hang_after_the_dot_is_in_doubt(judge: Judge) -> None:
    judge.on("dot", Accept(), Hang())
    outcome = await hand_over(judge, replace(PATIENT, final=0.15))
    assert outcome == InDoubt(
        "after the end of the message: no answer in time", code=ReasonCode.REPLY_MISSING
    )
    assert len(judge.accepted) == 1


async def test_a_late_250_is_waited_for_beyond_every_other_limit(judge: Judge) -> None:
    judge.on("dot", Delay(0.6))
    timeouts = replace(PATIENT, to_gate=0.5, gate=0.4, block=0.2, idle=0.2)
    assert await hand_over(judge, timeouts) == Sent("250 2.0.0 taken")
    assert len(judge.accepted) == 1


async def test_the_default_limits_are_those_of_the_rfc() -> None:
    limits = Timeouts()
    assert (limits.mail, limits.rcpt, limits.data, limits.block) == (300, 300, 120, 180)
    assert (limits.gate, limits.final, limits.to_gate) == (5, 600, 300)


@pytest.mark.parametrize("step", ["connect", "mail", "data", "dot"])
@pytest.mark.parametrize("flood", FLOODS, ids=repr)
async def test_an_endless_reply_is_cut_off(judge: Judge, step: Step, flood: Flood) -> None:
    judge.on(step, flood)
    tracemalloc.start()
    try:
        outcome = await hand_over(judge)
    except SmarthostAtFault:
        outcome = None
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert not isinstance(outcome, Sent)
    assert peak < 4 * 1024 * 1024
    await judge.until(lambda j: j.sessions == 0)


async def test_a_trickled_greeting_does_not_outlast_its_limit(judge: Judge) -> None:
    judge.on("connect", *[x for _ in range(100) for x in (Delay(0.05), Flood(b"220-a\r\n", 1))])
    begun = time.monotonic()
    with pytest.raises(SmarthostAtFault):
        await hand_over(judge, replace(PATIENT, ready=0.4))
    assert time.monotonic() - begun < 4
