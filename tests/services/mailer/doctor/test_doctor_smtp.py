"""What the mailer's `doctor` finds in the SMTP server; each finding is provoked for real."""

import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.doctor_report import Doctor, doctor
from tests.judge.certificate import expired, self_made
from tests.judge.script import Hang, Say
from tests.judge.server import Judge

Maker = Callable[[Path], tuple[Path, ssl.SSLContext]]
SETTINGS = {
    "DATABASE_URL": "postgresql://none/none",
    "AMQP_URL": "amqp://none/none",
    "MAIL_FROM": "Ledgerpost <post@ledgerpost.example>",
    "RETURN_SECRET": "r" * 32,
}


async def of_smtp(judge: Judge, user: str = "", query: str = "", **more: str) -> Doctor:
    url = f"smtp://{user}127.0.0.1:{judge.port}{query}"
    return await doctor(
        "--only", "smtp", program="services.mailer", **SETTINGS, SMTP_URL=url, **more
    )


async def test_a_login_over_tls_is_ok_and_sends_no_mail(judge: Judge, tmp_path: Path) -> None:
    certificate, judge.tls = self_made(tmp_path, days=90)
    judge.users = {"us": "pass-word-7"}
    found = await of_smtp(
        judge, "us:pass-word-7@", "?starttls=required", SSL_CERT_FILE=str(certificate)
    )
    assert (found.status, found.not_ok) == (0, {})
    [(_, text)] = found.of("smtp.session")
    assert "AUTH PLAIN: logged in" in text
    assert judge.accepted == []
    assert "pass-word-7" not in str(found.report)


async def test_a_wrong_password_is_a_failure(judge: Judge, tmp_path: Path) -> None:
    judge.tls, judge.users = self_made(tmp_path)[1], {"us": "pass-word-7"}
    found = await of_smtp(judge, "us:not-this-one@")
    assert (found.status, found.statuses) == (1, {"smtp.session": {"failure"}})
    assert found.report["findings"][0]["advice"] == "correct user and password in SMTP_URL"
    assert "not-this-one" not in str(found.report)


@pytest.mark.parametrize(
    ("make", "query", "check", "status", "words"),
    [
        (self_made, "", "certificate", "warning", "valid until"),
        (expired, "", "certificate", "warning", "expired on"),
        (expired, "?starttls=required", "session", "failure", "certificate has expired"),
    ],
)
async def test_a_certificate_that_ends_is_found(
    judge: Judge, tmp_path: Path, make: Maker, query: str, check: str, status: str, words: str
) -> None:
    certificate, judge.tls = make(tmp_path)
    found = await of_smtp(judge, query=query, SSL_CERT_FILE=str(certificate))
    [(was, text)] = found.of(f"smtp.{check}")
    assert (was, found.status) == (status, int(status == "failure"))
    assert words in text


async def test_a_refusal_shows_no_address(judge: Judge) -> None:
    judge.on("mail", Say("550 5.7.1 post@ledgerpost.example may not"))
    found = await of_smtp(judge)
    [(status, text)] = found.of("smtp.session")
    assert status == "failure"
    assert "550 5.7.1 [address] may not" in text


async def test_a_silent_server_is_a_failure_in_time(judge: Judge) -> None:
    judge.on("connect", Hang())
    found = await of_smtp(judge)
    assert (found.status, found.statuses) == (1, {"smtp.session": {"failure"}})


async def test_nobody_who_listens_is_a_failure() -> None:
    found = await of_smtp(Judge(port=9))
    [(status, text)] = found.of("smtp.session")
    assert (status, text.partition(":")[0]) == ("failure", "no connection to port 9")
