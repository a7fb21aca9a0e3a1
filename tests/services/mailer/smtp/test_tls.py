"""TLS: the promise of each setting."""

import asyncio
import ssl
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from services.mailer.smtp.outcomes import (
    Deferred,
    Outcome,
    Sent,
    SmarthostAtFault,
)
from tests.judge.mail import PATIENT, Gate, envelope, pool
from tests.judge.script import Delay, Hang, Reset
from tests.judge.server import Judge


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
