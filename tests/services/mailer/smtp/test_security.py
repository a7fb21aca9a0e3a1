"""TLS and AUTH: the promise of each setting, and no leaked password."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from services.mailer.smtp.outcomes import (
    Deferred,
    Outcome,
    PasswordRefused,
    Sent,
    SmarthostAtFault,
)
from shared.deliveries.reasons import ReasonCode
from tests.judge.certificate import self_made
from tests.judge.mail import PATIENT, Gate, envelope, pool
from tests.judge.script import Delay, Hang, Reset, Say
from tests.judge.server import Judge


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
async def test_a_certificate_that_nobody_vouches_for_is_the_smarthosts_fault(
    certificate: tuple[Path, ssl.SSLContext], tls: str
) -> None:
    async with Judge(tls=certificate[1], implicit_tls=tls == "implicit") as judge:
        with pytest.raises(SmarthostAtFault, match="certificate"):
            await pool(judge, tls=tls).hand_over(envelope(), Gate())
        assert not [c for c in judge.commands if c.startswith("MAIL")]


async def test_opportunistic_starttls_takes_any_certificate(
    certificate: tuple[Path, ssl.SSLContext],
) -> None:
    async with Judge(tls=certificate[1]) as judge:
        assert isinstance(await handed_over(judge, "starttls"), Sent)
        assert "STARTTLS" in judge.commands


async def test_starttls_required_but_not_offered_is_the_smarthosts_fault(judge: Judge) -> None:
    with pytest.raises(SmarthostAtFault, match="STARTTLS"):
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


async def test_a_wrong_password_is_the_smarthosts_fault_and_stays_secret(judge: Judge) -> None:
    judge.users = {"mailer": "right"}
    judge.on("auth", Say("235 never"))
    with pytest.raises(SmarthostAtFault, match=r"535 5\.7\.8") as caught:
        await pool(judge, username="mailer", password="wr0ng").hand_over(envelope(), Gate())
    assert "wr0ng" not in repr(caught.value)


async def test_a_smarthost_that_repeats_the_password_does_not_get_it_into_a_log(
    judge: Judge,
) -> None:
    judge.users = {"mailer": "hunter22"}
    echo = "502 AUTH PLAIN AG1haWxlcgBodW50ZXIyMg== hunter22 aHVudGVyMjI="
    judge.on("auth", Say(echo))
    with pytest.raises(SmarthostAtFault) as caught:
        await pool(judge, username="mailer", password="hunter22").hand_over(envelope(), Gate())
    assert str(caught.value) == "502 AUTH PLAIN [secret] [secret] [secret]"


async def test_a_smarthost_without_auth_for_a_password_is_at_fault(judge: Judge) -> None:
    with pytest.raises(SmarthostAtFault, match="AUTH") as caught:
        await pool(judge, username="mailer", password="x").hand_over(envelope(), Gate())
    assert caught.value.code is ReasonCode.SMARTHOST_LOGIN_REFUSED


@pytest.mark.parametrize(
    ("at", "action", "fields", "code"),
    [
        ("connect", Say("554 not you"), {}, ReasonCode.SMARTHOST_REFUSED),
        ("connect", Say("450 later"), {}, ReasonCode.SMARTHOST_BUSY),
        ("connect", Say("what?"), {}, ReasonCode.SMARTHOST_PROTOCOL_ERROR),
        ("connect", Hang(), {}, ReasonCode.SMARTHOST_TIMEOUT),
        ("connect", Reset(), {}, ReasonCode.CONNECTION_LOST),
        ("ehlo", Say("250 judge"), {"tls": "starttls_required"}, ReasonCode.SMARTHOST_TLS_FAILED),
    ],
)
async def test_a_session_that_cannot_be_opened_has_a_code(
    judge: Judge, at: str, action: Any, fields: dict[str, Any], code: ReasonCode
) -> None:
    judge.on(at, action)
    sessions = pool(judge, timeouts=replace(PATIENT, ready=1), **fields)
    with pytest.raises(SmarthostAtFault) as caught:
        await sessions.hand_over(envelope(), Gate())
    assert caught.value.code is code


async def test_a_port_where_nothing_listens_has_a_code(judge: Judge) -> None:
    sessions = pool(judge)
    await judge.stop()
    with pytest.raises(SmarthostAtFault) as caught:
        await sessions.hand_over(envelope(), Gate())
    assert caught.value.code is ReasonCode.SMARTHOST_UNREACHABLE


async def test_helo_serves_where_ehlo_is_not_known(judge: Judge) -> None:
    judge.on("ehlo", Say("502 5.5.1 what?"))
    sessions = pool(judge)
    assert isinstance(await sessions.hand_over(envelope(), Gate()), Sent)
    await sessions.close()


async def test_a_wrong_password_is_tried_once_and_by_one_mechanism(judge: Judge) -> None:
    judge.users = {"mailer": "right"}
    judge.on("ehlo", Delay(0.05))  # so that all of them are on their way
    sessions = pool(judge, size=7, username="mailer", password="wrong")
    mails = [envelope(f"{n}@x.org") for n in range(7)]
    outcomes = await asyncio.gather(
        *(sessions.hand_over(mail, Gate()) for mail in mails), return_exceptions=True
    )
    assert {type(outcome) for outcome in outcomes} == {PasswordRefused}
    assert sum(command.startswith("AUTH") for command in judge.commands) == 1
    with pytest.raises(PasswordRefused):
        await sessions.probe()
    judge.users = {"mailer": "wrong"}
    await sessions.probe()
    assert isinstance(await sessions.hand_over(mails[0], Gate()), Sent)
    assert sum(command.startswith("AUTH") for command in judge.commands) == 3
    await sessions.close()


def test_after_a_wrong_password_the_pauses_grow_to_half_an_hour() -> None:
    pauses = [PasswordRefused.pauses.after(failures) for failures in range(1, 9)]
    assert pauses == [30, 60, 120, 240, 480, 960, 1800, 1800]


async def test_a_login_that_fails_for_now_is_no_wrong_password(judge: Judge) -> None:
    judge.users = {"mailer": "right"}
    judge.on("auth", Say("454 4.7.0 later"))
    with pytest.raises(SmarthostAtFault, match="454") as caught:
        await pool(judge, username="mailer", password="right").hand_over(envelope(), Gate())
    assert type(caught.value) is SmarthostAtFault


def elsewhere() -> str:
    """An address of this machine that is not its loopback: to the mailer, another host."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        try:
            asked.connect(("192.0.2.1", 9))  # sends nothing
        except OSError:
            pytest.skip("this machine has no address but 127.0.0.1")
        return str(asked.getsockname()[0])


@pytest.fixture
async def stripped() -> AsyncIterator[Judge]:
    """A server on another host that takes logins and offers no STARTTLS."""
    judge = Judge(users={"mailer": "s3cret"})
    judge.host = elsewhere()
    async with judge:
        yield judge


WHO: dict[str, Any] = {"username": "mailer", "password": "s3cret"}


async def test_no_password_goes_unencrypted_to_another_host(stripped: Judge) -> None:
    with pytest.raises(SmarthostAtFault, match=r"offers no STARTTLS, and the password is not sent"):
        await pool(stripped, tls="starttls", **WHO).hand_over(envelope(), Gate())
    assert [command.split()[0] for command in stripped.commands] == ["EHLO"]


async def test_a_password_goes_unencrypted_to_another_host_if_told_so(stripped: Judge) -> None:
    sessions = pool(stripped, tls="none", **WHO)
    assert isinstance(await sessions.hand_over(envelope(), Gate()), Sent)
    await sessions.close()


async def test_a_password_goes_encrypted_to_another_host(
    certificate: tuple[Path, ssl.SSLContext], stripped: Judge
) -> None:
    stripped.tls = certificate[1]
    sessions = pool(stripped, tls="starttls", **WHO)
    assert isinstance(await sessions.hand_over(envelope(), Gate()), Sent)
    await sessions.close()
    assert [command.split()[0] for command in stripped.commands[:4]] == [
        *("EHLO", "STARTTLS", "EHLO", "AUTH")
    ]


async def test_a_password_goes_unencrypted_within_this_machine(judge: Judge) -> None:
    judge.users = {"mailer": "s3cret"}
    sessions = pool(judge, tls="starttls", **WHO)
    assert isinstance(await sessions.hand_over(envelope(), Gate()), Sent)
    await sessions.close()


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1")
@pytest.mark.parametrize("tls", ["starttls", "implicit"])
async def test_a_handshake_that_fails_says_so(
    certificate: tuple[Path, ssl.SSLContext], tls: str
) -> None:
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.maximum_version = old.minimum_version = ssl.TLSVersion.TLSv1_1
    old.load_cert_chain(certificate[0], certificate[0].with_name("key.pem"))
    async with Judge(tls=old, implicit_tls=tls == "implicit") as judge:
        with pytest.raises(SmarthostAtFault, match=r"^TLS handshake failed: .*\w"):
            await pool(judge, tls=tls).hand_over(envelope(), Gate())
        assert not [c for c in judge.commands if c.startswith("MAIL")], "no fall-back"
