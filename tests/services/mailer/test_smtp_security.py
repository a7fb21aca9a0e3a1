"""TLS and AUTH: what each setting promises, and that no password gets out."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from services.mailer.outcomes import Deferred, Outcome, RelayAtFault, Sent
from services.mailer.relay import Timeouts
from services.mailer.sessions import Sessions
from tests.judge.certificate import self_made
from tests.judge.mail import PATIENT, Gate, envelope, relay
from tests.judge.script import Delay, Hang, Reset, Say
from tests.judge.server import Judge


@pytest.fixture
async def judge() -> AsyncIterator[Judge]:
    async with Judge() as judge:
        yield judge


def pool(judge: Judge, size: int = 1, timeouts: Timeouts = PATIENT, **fields: Any) -> Sessions:
    return Sessions(relay(judge, **fields), size, timeouts, "client.test")


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
