"""Every kind of reply at every stage has the outcome in the table."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from services.mailer.smtp.outcomes import (
    Deferred,
    Failed,
    InDoubt,
    Outcome,
    Sent,
    SmarthostAtFault,
)
from services.mailer.smtp.pool import SessionPool
from shared.deliveries.reasons import ReasonCode
from tests.judge.mail import PATIENT, Gate, envelope, smarthost
from tests.judge.script import Say, Step
from tests.judge.server import Judge

TRANSIENT = [421, 450, 451, 452, 454, 471]
PERMANENT = [500, 502, 503, 550, 552, 553, 554, 571]


@pytest.fixture(params=[True, False], ids=["pipelining", "step by step"])
async def judge(request: pytest.FixtureRequest) -> AsyncIterator[Judge]:
    async with Judge(pipelining=request.param) as judge:
        yield judge


@pytest.fixture
async def sessions(judge: Judge) -> AsyncIterator[SessionPool]:
    sessions = SessionPool(smarthost(judge), 1, PATIENT, "client.test")
    yield sessions
    await sessions.close()


async def once_more(judge: Judge, sessions: SessionPool) -> None:
    """Whatever was refused, the next mail goes out, once."""
    judge.rules.clear()
    before = len(judge.accepted)
    assert isinstance(await sessions.hand_over(envelope("next@example.org"), Gate()), Sent)
    assert [mail.recipient for mail in judge.accepted[before:]] == ["next@example.org"]


async def test_a_mail_is_handed_over_with_its_bytes(judge: Judge, sessions: SessionPool) -> None:
    mail = envelope(text="one\n.\n..two\n.three\n\nend")
    assert await sessions.hand_over(mail, Gate()) == Sent("250 2.0.0 taken")
    assert [m.data for m in judge.accepted] == [mail.data]
    assert judge.accepted[0].sender == mail.sender


async def test_a_body_of_one_dot_cannot_end_itself(judge: Judge, sessions: SessionPool) -> None:
    gate = Gate()
    assert await sessions.hand_over(envelope(data=b".\r\n"), gate) == Sent("250 2.0.0 taken")
    assert [m.data for m in judge.accepted] == [b".\r\n"]
    assert gate.asked == 1


@pytest.mark.parametrize("code", TRANSIENT)
@pytest.mark.parametrize("step", ["mail", "rcpt", "data", "dot"])
async def test_a_transient_reply_defers(
    judge: Judge, sessions: SessionPool, step: Step, code: int
) -> None:
    judge.on(step, Say(f"{code} 4.3.2 later"))
    gate = Gate()
    if (step, code) == ("mail", 421):
        with pytest.raises(SmarthostAtFault):
            await sessions.hand_over(envelope(), gate)
    else:
        outcome = await sessions.hand_over(envelope(), gate)
        assert isinstance(outcome, Deferred)
        assert outcome.reply == f"{code} 4.3.2 later"
    assert gate.asked == (step == "dot")
    assert judge.accepted == []
    await once_more(judge, sessions)
    assert judge.connections == (2 if code == 421 else 1)


@pytest.mark.parametrize("code", PERMANENT)
@pytest.mark.parametrize("step", ["mail", "rcpt", "data", "dot"])
async def test_a_permanent_reply_fails_the_mail_but_at_mail_blames_the_smarthost(
    judge: Judge, sessions: SessionPool, step: Step, code: int
) -> None:
    judge.on(step, Say(f"{code} 5.7.1 never"))
    gate = Gate()
    if step == "mail":
        with pytest.raises(SmarthostAtFault, match=f"{code} 5.7.1 never"):
            await sessions.hand_over(envelope(), gate)
    else:
        outcome = await sessions.hand_over(envelope(), gate)
        assert isinstance(outcome, Failed)
        assert (outcome.reply, outcome.suppress) == (f"{code} 5.7.1 never", False)
    assert gate.asked == (step == "dot")
    assert judge.accepted == []
    await once_more(judge, sessions)


@pytest.mark.parametrize(
    ("step", "reply", "expected"),
    [
        (
            "rcpt",
            "354 huh",
            Deferred(
                "unexpected reply at RCPT", "354 huh", code=ReasonCode.SMARTHOST_PROTOCOL_ERROR
            ),
        ),
        (
            "data",
            "250 huh",
            Deferred(
                "unexpected reply at DATA", "250 huh", code=ReasonCode.SMARTHOST_PROTOCOL_ERROR
            ),
        ),
        (
            "dot",
            "354 huh",
            InDoubt(
                "unexpected reply to the end of the message",
                "354 huh",
                code=ReasonCode.REPLY_UNCLEAR,
            ),
        ),
    ],
)
async def test_a_reply_that_fits_no_stage(
    judge: Judge, sessions: SessionPool, step: Step, reply: str, expected: Outcome
) -> None:
    judge.on(step, Say(reply))
    assert await sessions.hand_over(envelope(), Gate()) == expected
    await once_more(judge, sessions)


@pytest.mark.parametrize("code", ["5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10"])
@pytest.mark.parametrize(("step", "suppress"), [("rcpt", True), ("data", False), ("dot", False)])
async def test_an_address_that_cannot_exist_is_suppressed_at_rcpt_only(
    *, judge: Judge, sessions: SessionPool, step: Step, suppress: bool, code: str
) -> None:
    judge.on(step, Say(f"550-{code} No such user\r\n550 {code} here"))
    outcome = await sessions.hand_over(envelope(), Gate())
    assert isinstance(outcome, Failed)
    assert (outcome.suppress, outcome.reply) == (suppress, f"550 {code} No such user here")


@pytest.mark.parametrize(
    "reply", ["550 no such user", "550 5.1.0 x", "550 5.1.8 x", "550 5.7.1 x", "450 4.1.1 x"]
)
async def test_other_refusals_at_rcpt_suppress_nothing(
    judge: Judge, sessions: SessionPool, reply: str
) -> None:
    judge.on("rcpt", Say(reply))
    outcome = await sessions.hand_over(envelope(), Gate())
    assert not getattr(outcome, "suppress", False)


async def test_data_let_in_without_a_recipient_gets_no_dot(
    judge: Judge, sessions: SessionPool
) -> None:
    judge.on("rcpt", Say("550 5.1.1 no"))
    judge.data_without_recipient = True
    assert isinstance(await sessions.hand_over(envelope(), Gate()), Failed)
    await once_more(judge, sessions)
    assert [aborted.data for aborted in judge.aborted] == ([b""] if judge.pipelining else [])


async def test_only_one_recipient_and_one_rset_a_refusal(
    judge: Judge, sessions: SessionPool
) -> None:
    judge.on("rcpt", Say("550 5.1.1 no"), recipient="bad@example.org")
    for recipient in ("a@example.org", "bad@example.org", "b@example.org"):
        await sessions.hand_over(envelope(recipient), Gate())
    verbs = [command.split()[0] for command in judge.commands]
    assert (verbs.count("MAIL"), verbs.count("RCPT"), verbs.count("RSET")) == (3, 3, 1)
    assert judge.connections == 1
    assert [mail.recipient for mail in judge.accepted] == ["a@example.org", "b@example.org"]


async def outcome_of(judge: Judge, **fields: Any) -> Outcome:
    sessions = SessionPool(smarthost(judge), 1, PATIENT, "client.test")
    outcome = await sessions.hand_over(envelope(**fields), Gate())
    await sessions.close()
    return outcome


async def test_smtputf8_is_announced_or_the_mail_fails() -> None:
    async with Judge(smtputf8=False) as judge:
        outcome = await outcome_of(judge, recipient="jörg@example.org", smtputf8=True)
        assert outcome == Failed(
            "the smarthost lacks SMTPUTF8", code=ReasonCode.SMTPUTF8_UNSUPPORTED
        )
        assert not [c for c in judge.commands if c.startswith("MAIL")]
    async with Judge() as judge:
        outcome = await outcome_of(judge, recipient="jörg@example.org", smtputf8=True)
        assert isinstance(outcome, Sent)
        assert [mail.recipient for mail in judge.accepted] == ["jörg@example.org"]
        assert [c for c in judge.commands if c.endswith(" SMTPUTF8")]


async def test_smtputf8_refused_at_mail_is_the_mails_fault() -> None:
    async with Judge() as judge:
        judge.on("mail", Say("553 5.6.7 no"))
        outcome = await outcome_of(judge, recipient="jörg@example.org", smtputf8=True)
        assert outcome == Failed(
            "refused at MAIL", "553 5.6.7 no", code=ReasonCode.SMTPUTF8_UNSUPPORTED
        )


async def test_a_mail_over_the_announced_size_fails_before_it_is_offered() -> None:
    async with Judge(size=50) as judge:
        assert isinstance(await outcome_of(judge), Failed)
        assert judge.commands == ["EHLO client.test", "QUIT"]
