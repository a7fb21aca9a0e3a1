"""Logins: the right one, a wrong one, and no password where others read it."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from services.mailer.smtp.outcomes import (
    PasswordRefused,
    Sent,
    SmarthostAtFault,
)
from shared.deliveries.reasons import ReasonCode
from tests.judge.mail import Gate, envelope, pool
from tests.judge.script import Delay, Say
from tests.judge.server import Judge


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
