"""Connections are opened, kept, bounded, replaced and closed as promised."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from services.mailer.outcomes import Deferred, Failed, Outcome, RelayAtFault, Sent
from services.mailer.relay import Timeouts
from services.mailer.sessions import Sessions
from tests.judge.certificate import self_made
from tests.judge.mail import PATIENT, Gate, envelope, relay
from tests.judge.script import Action, Delay, Drop, Hang, Reset, Say
from tests.judge.server import Judge


@pytest.fixture
async def judge() -> AsyncIterator[Judge]:
    async with Judge() as judge:
        yield judge


def pool(judge: Judge, size: int = 1, timeouts: Timeouts = PATIENT, **fields: Any) -> Sessions:
    return Sessions(relay(judge, **fields), size, timeouts, "client.test")


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
async def test_a_kept_connection_that_dies_at_mail_is_replaced_once(
    judge: Judge, action: Action
) -> None:
    sessions = pool(judge, timeouts=replace(PATIENT, reuse=0.3))
    judge.on("mail", action, skip=1, times=1)
    for n in range(3):
        assert isinstance(await sessions.hand_over(envelope(f"{n}@x.org"), Gate()), Sent)
    assert (judge.connections, len(judge.accepted)) == (2, 3)
    await sessions.close()


async def test_a_kept_connection_that_dies_twice_blames_the_relay(judge: Judge) -> None:
    sessions = pool(judge)
    judge.on("mail", Drop(), skip=1)
    assert isinstance(await sessions.hand_over(envelope("1@x.org"), Gate()), Sent)
    with pytest.raises(RelayAtFault):
        await sessions.hand_over(envelope("2@x.org"), Gate())
    assert (judge.connections, len(judge.accepted)) == (2, 1)


async def test_a_relay_restarted_while_idle_is_not_noticed_by_the_mail(judge: Judge) -> None:
    sessions = pool(judge)
    assert isinstance(await sessions.hand_over(envelope("1@x.org"), Gate()), Sent)
    await judge.stop()
    with pytest.raises(RelayAtFault):
        await sessions.hand_over(envelope("2@x.org"), Gate())
    with pytest.raises(RelayAtFault):
        await sessions.probe()
    async with judge:
        await sessions.probe()
        assert isinstance(await sessions.hand_over(envelope("2@x.org"), Gate()), Sent)
        assert [mail.recipient for mail in judge.accepted] == ["1@x.org", "2@x.org"]
        assert judge.connections == 2
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
    with pytest.raises(RelayAtFault, match="not from you"):
        await sessions.hand_over(envelope(), Gate())
    with pytest.raises(RelayAtFault, match="not from you"):
        await sessions.probe()
    await sessions.probe()
    assert isinstance(await sessions.hand_over(envelope(), Gate()), Sent)
    assert len(judge.accepted) == 1
    await sessions.close()


async def test_nobody_listening_is_the_relays_fault() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        judge = Judge(port=taken.getsockname()[1])
        with pytest.raises(RelayAtFault, match=r"[Cc]onnect"):
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


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    return self_made(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def trusted(certificate: tuple[Path, ssl.SSLContext], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))


async def handed_over(judge: Judge, tls: str, **fields: Any) -> Outcome:
    sessions = pool(judge, tls=tls, **fields)
    mail = envelope(text="\n".join(["secret " * 10] * 5000))
    seen = []

    async def gate() -> bool:
        seen.append(len(judge.accepted))
        return True

    try:
        outcome = await sessions.hand_over(mail, gate)
    finally:
        await sessions.close()
    assert seen == [0]
    assert [m.data for m in judge.accepted] == [mail.data]
    return outcome


@pytest.mark.parametrize("tls", ["starttls", "starttls_required"])
async def test_starttls(certificate: tuple[Path, ssl.SSLContext], trusted: None, tls: str) -> None:
    async with Judge(tls=certificate[1]) as judge:
        assert isinstance(await handed_over(judge, tls), Sent)
        assert judge.commands[:3] == ["EHLO client.test", "STARTTLS", "EHLO client.test"]


async def test_implicit_tls(certificate: tuple[Path, ssl.SSLContext], trusted: None) -> None:
    async with Judge(tls=certificate[1], implicit_tls=True) as judge:
        assert isinstance(await handed_over(judge, "implicit"), Sent)
        assert "STARTTLS" not in judge.commands


@pytest.mark.parametrize("tls", ["starttls_required", "implicit"])
async def test_a_certificate_that_nobody_vouches_for_is_the_relays_fault(
    certificate: tuple[Path, ssl.SSLContext], tls: str
) -> None:
    async with Judge(tls=certificate[1], implicit_tls=tls == "implicit") as judge:
        with pytest.raises(RelayAtFault, match="certificate"):
            await pool(judge, tls=tls).hand_over(envelope(), Gate())
        assert not [c for c in judge.commands if c.startswith("MAIL")]


async def test_opportunistic_starttls_takes_any_certificate(
    certificate: tuple[Path, ssl.SSLContext],
) -> None:
    async with Judge(tls=certificate[1]) as judge:
        assert isinstance(await handed_over(judge, "starttls"), Sent)
        assert "STARTTLS" in judge.commands


async def test_starttls_required_but_not_offered_is_the_relays_fault(judge: Judge) -> None:
    with pytest.raises(RelayAtFault, match="STARTTLS"):
        await pool(judge, tls="starttls_required").hand_over(envelope(), Gate())


async def test_starttls_never(certificate: tuple[Path, ssl.SSLContext]) -> None:
    async with Judge(tls=certificate[1]) as judge:
        assert isinstance(await handed_over(judge, "none"), Sent)
        assert "STARTTLS" not in judge.commands


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
async def test_a_drop_in_tls_at_the_gate_is_noticed(
    certificate: tuple[Path, ssl.SSLContext], trusted: None, tls: str
) -> None:
    async with Judge(tls=certificate[1], implicit_tls=tls == "implicit") as judge:
        judge.on("body", Delay(0.05), Reset())

        async def gate() -> bool:
            await asyncio.sleep(0.2)
            return True

        outcome = await pool(judge, tls=tls).hand_over(envelope(), gate)
        assert type(outcome).__name__ == "NotHandedOver"
        assert judge.accepted == []


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
async def test_in_tls_too_the_buffers_are_empty_before_the_gate(
    certificate: tuple[Path, ssl.SSLContext], trusted: None, tls: str
) -> None:
    secure: dict[str, Any] = {
        "tls": certificate[1],
        "implicit_tls": tls == "implicit",
        "receive_buffer": 8192,
    }
    async with Judge(**secure) as judge:
        judge.on("body", Hang(reading=False))
        sessions = pool(judge, tls=tls, timeouts=replace(PATIENT, block=0.5))
        gate = Gate()
        big = envelope(text="\n".join(["z" * 76] * 100_000))
        assert isinstance(await sessions.hand_over(big, gate), Deferred)
        assert gate.asked == 0


async def test_auth_plain_and_login(judge: Judge) -> None:
    judge.users = {"mailer": "s3cret pass"}
    who: dict[str, Any] = {"username": "mailer", "password": "s3cret pass"}
    sessions = pool(judge, **who)
    assert isinstance(await sessions.hand_over(envelope(), Gate()), Sent)
    await sessions.close()
    judge.on("auth", Say("504 5.5.4 try another"), times=1)
    sessions = pool(judge, **who)
    assert isinstance(await sessions.hand_over(envelope("b@x.org"), Gate()), Sent)
    assert [c.split()[1] for c in judge.commands if c.startswith("AUTH")][1:] == ["PLAIN", "LOGIN"]
    await sessions.close()


async def test_a_wrong_password_is_the_relays_fault_and_stays_secret(judge: Judge) -> None:
    judge.users = {"mailer": "right"}
    judge.on("auth", Say("235 never"))
    with pytest.raises(RelayAtFault, match=r"535 5\.7\.8") as caught:
        await pool(judge, username="mailer", password="wr0ng").hand_over(envelope(), Gate())
    assert "wr0ng" not in repr(caught.value)


async def test_a_relay_that_repeats_the_password_does_not_get_it_into_a_log(judge: Judge) -> None:
    judge.users = {"mailer": "hunter22"}
    echo = "502 AUTH PLAIN AG1haWxlcgBodW50ZXIyMg== hunter22 aHVudGVyMjI="
    judge.on("auth", Say(echo))
    with pytest.raises(RelayAtFault) as caught:
        await pool(judge, username="mailer", password="hunter22").hand_over(envelope(), Gate())
    assert str(caught.value) == "502 AUTH PLAIN [secret] [secret] [secret]"


async def test_a_relay_without_auth_for_a_password_is_at_fault(judge: Judge) -> None:
    with pytest.raises(RelayAtFault, match="AUTH"):
        await pool(judge, username="mailer", password="x").hand_over(envelope(), Gate())


async def test_helo_serves_where_ehlo_is_not_known(judge: Judge) -> None:
    judge.on("ehlo", Say("502 5.5.1 what?"))
    sessions = pool(judge)
    assert isinstance(await sessions.hand_over(envelope(), Gate()), Sent)
    await sessions.close()
