"""Connections are opened, kept, bounded, replaced and closed as promised."""

import asyncio
import socket
from dataclasses import replace

import pytest

from services.mailer.smtp.outcomes import (
    Deferred,
    Failed,
    NotHandedOver,
    Sent,
    SmarthostAtFault,
    TooManySessions,
)
from services.mailer.smtp.pool import SessionPool
from services.mailer.smtp.smarthost import Smarthost
from tests.black_hole import NAME, half_there
from tests.judge import postfix
from tests.judge.mail import PATIENT, Gate, envelope, pool
from tests.judge.script import Action, Delay, Drop, Hang, Reset, Say
from tests.judge.server import Judge
from tests.servers import absent


async def test_one_connection_carries_many_mails_and_says_goodbye(judge: Judge) -> None:
    sessions = pool(judge)
    for n in range(20):
        assert isinstance(await sessions.hand_over(envelope(f"{n}@x.org"), Gate()), Sent)
    await sessions.close()
    assert (judge.connections, len(judge.accepted)) == (1, 20)
    assert judge.commands[-1] == "QUIT"


async def test_pipelining_sends_nothing_past_data(judge: Judge) -> None:
    sessions = pool(judge)
    judge.on("data", Delay(0.2))
    handing = asyncio.create_task(sessions.hand_over(envelope(), Gate()))
    await judge.until(lambda j: j.sessions == 1)
    await asyncio.sleep(0.1)
    assert judge.commands[-3:] == [
        "MAIL FROM:<from@example.com>",
        "RCPT TO:<ann@example.org>",
        "DATA",
    ]
    assert isinstance(await handing, Sent)
    await sessions.close()


async def test_never_more_than_size_connections(judge: Judge) -> None:
    sessions = pool(judge, size=3)
    judge.on("dot", Delay(0.01))
    mails = [envelope(f"{n}@x.org") for n in range(40)]
    outcomes = await asyncio.gather(*(sessions.hand_over(mail, Gate()) for mail in mails))
    await sessions.probe()
    assert all(isinstance(outcome, Sent) for outcome in outcomes)
    assert judge.most_sessions == 3
    assert set(judge.counts().values()) == {1}
    assert len(judge.accepted) == 40
    await sessions.close()


@pytest.mark.parametrize("action", [Drop(), Reset(), Say("421 4.4.2 idle"), Hang()], ids=repr)
async def test_a_parked_session_that_dies_at_mail_is_replaced_once(
    judge: Judge, action: Action
) -> None:
    sessions = pool(judge, timeouts=replace(PATIENT, reuse=0.3))
    judge.on("mail", action, skip=1, times=1)
    for n in range(3):
        assert isinstance(await sessions.hand_over(envelope(f"{n}@x.org"), Gate()), Sent)
    assert (judge.connections, len(judge.accepted)) == (2, 3)
    await sessions.close()


async def test_a_parked_session_that_dies_twice_blames_the_smarthost(judge: Judge) -> None:
    sessions = pool(judge)
    judge.on("mail", Drop(), skip=1)
    assert isinstance(await sessions.hand_over(envelope("1@x.org"), Gate()), Sent)
    with pytest.raises(SmarthostAtFault):
        await sessions.hand_over(envelope("2@x.org"), Gate())
    assert (judge.connections, len(judge.accepted)) == (2, 1)


async def test_a_smarthost_restarted_while_idle_is_not_noticed_by_the_mail(judge: Judge) -> None:
    sessions = pool(judge)
    assert isinstance(await sessions.hand_over(envelope("1@x.org"), Gate()), Sent)
    await judge.stop()
    with pytest.raises(SmarthostAtFault):
        await sessions.hand_over(envelope("2@x.org"), Gate())
    with pytest.raises(SmarthostAtFault):
        await sessions.probe()
    async with judge:
        await sessions.probe()
        assert isinstance(await sessions.hand_over(envelope("2@x.org"), Gate()), Sent)
        assert [mail.recipient for mail in judge.accepted] == ["1@x.org", "2@x.org"]
        assert judge.connections == 2
        await sessions.close()


async def test_who_waited_while_the_smarthost_was_found_at_fault_does_not_try(judge: Judge) -> None:
    sessions = pool(judge)
    judge.on("mail", Delay(0.1), Say("550 5.7.1 go away"), times=1)
    mails = [envelope(f"{n}@x.org") for n in range(5)]
    outcomes = await asyncio.gather(
        *(sessions.hand_over(mail, Gate()) for mail in mails), return_exceptions=True
    )
    assert [type(outcome) for outcome in outcomes] == [SmarthostAtFault] * 5
    assert sum(command.startswith("MAIL") for command in judge.commands) == 1
    assert isinstance(await sessions.hand_over(mails[0], Gate()), Sent)
    await sessions.close()


async def test_once_dismissed_only_what_has_a_connection_is_handed_over(judge: Judge) -> None:
    sessions = pool(judge)
    judge.on("dot", Delay(0.2))
    handing = [
        asyncio.create_task(sessions.hand_over(envelope(f"{n}@x.org"), Gate())) for n in range(3)
    ]
    await judge.until(lambda j: j.sessions == 1)
    sessions.stop()
    outcomes = await asyncio.gather(*handing)
    assert [type(outcome) for outcome in outcomes] == [Sent, NotHandedOver, NotHandedOver]
    assert [mail.recipient for mail in judge.accepted] == ["0@x.org"]
    await sessions.close()


async def test_an_idle_connection_is_left_with_quit(judge: Judge) -> None:
    sessions = pool(judge, timeouts=replace(PATIENT, idle=0.1))
    await sessions.hand_over(envelope(), Gate())
    await judge.until(lambda j: j.sessions == 0)
    assert judge.commands[-1] == "QUIT"
    await sessions.close()


async def test_a_probe_asks_the_mail_that_was_refused(judge: Judge) -> None:
    sessions = pool(judge)
    judge.on("mail", Say("550 5.7.1 not from you"), times=2)
    with pytest.raises(SmarthostAtFault, match="not from you"):
        await sessions.hand_over(envelope(), Gate())
    with pytest.raises(SmarthostAtFault, match="not from you"):
        await sessions.probe()
    await sessions.probe()
    assert isinstance(await sessions.hand_over(envelope(), Gate()), Sent)
    assert len(judge.accepted) == 1
    await sessions.close()


async def test_nobody_listening_is_the_smarthosts_fault() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        judge = Judge(port=taken.getsockname()[1])
        with pytest.raises(SmarthostAtFault, match=r"[Cc]onnect"):
            await pool(judge).hand_over(envelope(), Gate())


async def test_outcomes_of_refused_mails_keep_the_connection(judge: Judge) -> None:
    sessions = pool(judge)
    judge.on("rcpt", Say("450 4.2.1 busy"), recipient="busy@x.org")
    judge.on("rcpt", Say("550 5.2.1 closed"), recipient="closed@x.org")
    assert isinstance(await sessions.hand_over(envelope("busy@x.org"), Gate()), Deferred)
    assert isinstance(await sessions.hand_over(envelope("closed@x.org"), Gate()), Failed)
    assert isinstance(await sessions.hand_over(envelope("ok@x.org"), Gate()), Sent)
    assert judge.connections == 1
    await sessions.close()


async def test_who_reads_one_command_a_packet_is_soon_talked_to_step_by_step() -> None:
    async with Judge() as judge:
        judge.one_a_packet = True
        sessions = pool(judge, timeouts=replace(PATIENT, ahead=0.2))
        first = await sessions.hand_over(envelope("0@x.org"), Gate())
        assert isinstance(first, NotHandedOver)  # nothing is counted, and it comes again soon
        for n in range(3):
            assert isinstance(await sessions.hand_over(envelope(f"{n}@x.org"), Gate()), Sent)
        assert (judge.connections, len(judge.accepted)) == (2, 3)
        await sessions.close()


async def test_as_many_sessions_as_the_server_takes_and_no_fault() -> None:
    async with Judge() as judge:
        judge.most_allowed = 2
        judge.on("dot", Delay(0.01))
        sessions = pool(judge, size=10)
        mails = [envelope(f"{n}@x.org") for n in range(60)]
        outcomes = await asyncio.gather(*(sessions.hand_over(mail, Gate()) for mail in mails))
        assert {type(outcome) for outcome in outcomes} == {Sent}
        assert set(judge.counts().values()) == {1}
        assert judge.connections < 20, "it is asked again and again"
        await sessions.close()


async def test_a_postfix_that_takes_two_sessions_gets_all_mail_without_a_fault() -> None:
    if (reason := postfix.unavailable()) is not None:
        absent(reason)
    limit = "smtpd_client_connection_count_limit = 2\nsmtpd_client_event_limit_exceptions =\n"
    async with postfix.postfix(limit) as (port, taken):
        sessions = SessionPool(Smarthost("127.0.0.1", port, "none"), 10, PATIENT, "client.test")
        mails = [envelope(f"{n}@d.org") for n in range(60)]
        outcomes = await asyncio.gather(*(sessions.hand_over(mail, Gate()) for mail in mails))
        assert {type(outcome) for outcome in outcomes} == {Sent}
        await sessions.close()
        assert await taken() == 60


async def test_a_server_that_takes_no_session_at_all_is_at_fault() -> None:
    async with Judge() as judge:
        judge.most_allowed = 0
        sessions = pool(judge, size=10)
        mails = [envelope(f"{n}@x.org") for n in range(10)]
        outcomes = await asyncio.gather(
            *(sessions.hand_over(mail, Gate()) for mail in mails), return_exceptions=True
        )
        assert {type(outcome) for outcome in outcomes} == {TooManySessions}
        await sessions.close()


async def test_the_first_address_may_be_a_black_hole(
    judge: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    with half_there(monkeypatch, judge.port):
        sessions = SessionPool(Smarthost(NAME, judge.port, "none"), 1, PATIENT, "client.test")
        assert isinstance(await sessions.hand_over(envelope(), Gate()), Sent)
        await sessions.close()
