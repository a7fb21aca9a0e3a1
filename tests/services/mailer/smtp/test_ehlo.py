"""The name in EHLO: fully qualified, or the socket's own address as RFC 5321 writes it."""

import socket

import pytest

from services.mailer import app
from services.mailer.smtp import ehlo
from services.mailer.smtp.outcomes import Failed, Sent
from services.mailer.smtp.pool import SessionPool
from shared.process.settings import SettingsError, SmtpSettings
from tests.judge import postfix
from tests.judge.mail import PATIENT, Gate, envelope, smarthost
from tests.judge.server import Judge
from tests.servers import absent

NEEDS_A_NAME = """\
smtpd_helo_required = yes
smtpd_helo_restrictions = reject_invalid_helo_hostname, reject_non_fqdn_helo_hostname
"""


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("192.0.2.1", "[192.0.2.1]"),
        ("2001:db8::1", "[IPv6:2001:db8::1]"),
        ("fe80::1%eth0", "[IPv6:fe80::1]"),
        ("::ffff:192.0.2.1", "[192.0.2.1]"),
    ],
)
def test_an_address_literal(address: str, shown: str) -> None:
    assert ehlo.literal(address) == shown
    assert ehlo.is_name(shown)


@pytest.mark.parametrize(
    ("found", "name"),
    [
        ("mail.example.com", "mail.example.com"),
        ("mail-1.example.co.uk", "mail-1.example.co.uk"),
        ("localhost", None),
        ("localhost.localdomain", None),
        ("9f1c2e7a4b55", None),
        ("1.0.0.127.in-addr.arpa", None),
        ("my_host.example.com", None),
        ("10.0.0.1", None),
        ("", None),
    ],
)
def test_this_machines_name(monkeypatch: pytest.MonkeyPatch, found: str, name: str | None) -> None:
    monkeypatch.setattr(socket, "getfqdn", lambda: found)
    assert ehlo.own_name() == name


@pytest.mark.parametrize("name", ["localhost", "a b.example", "[127.0.0]", "[::1]", "x.y\r\nQUIT"])
def test_a_wrong_name_stops_the_start(name: str) -> None:
    settings = SmtpSettings(smtp_url="smtp://x", mail_from="a@b.example", ehlo_name=name)
    with pytest.raises(SettingsError, match=r"^EHLO_NAME: should be"):
        app.ehlo_name(settings)


async def test_without_a_name_it_is_the_address_of_the_socket(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(socket, "getfqdn", lambda: "localhost")
    async with Judge() as judge:
        sessions = SessionPool(smarthost(judge), 1, PATIENT)
        await sessions.probe()
        await sessions.close()
        assert judge.commands[0] == "EHLO [127.0.0.1]"


async def test_a_postfix_that_wants_a_qualified_name_takes_mail_from_a_machine_without_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if (reason := postfix.unavailable()) is not None:
        absent(reason)
    monkeypatch.setattr(socket, "getfqdn", lambda: "localhost")
    async with postfix.postfix(NEEDS_A_NAME) as (port, taken):
        there = smarthost(Judge(port=port))
        sessions = SessionPool(there, 1, PATIENT)
        assert isinstance(await sessions.hand_over(envelope("a@d.org"), Gate()), Sent)
        await sessions.close()
        refused = SessionPool(there, 1, PATIENT, "localhost")
        outcome = await refused.hand_over(envelope("b@d.org"), Gate())
        await refused.close()
        assert isinstance(outcome, Failed)
        assert "504 5.5.2" in str(outcome.reply)
        assert outcome.blame.name == "SMARTHOST"
        assert await taken() == 1
