"""Mails of a mailer with DKIM keys, as they arrived."""

from typing import Any

import pytest

from shared.mail.dkim_key import DkimKey
from tests.journeys.conftest import MAIL_FROM, System
from tests.journeys.test_preview_command import preview
from tests.judge import opendkim
from tests.servers import absent
from tests.shared.mail.signed import key, records, verdicts

DOMAIN = "ledgerpost.example"
RSA = key("2026r", domain=DOMAIN)
ED25519 = key("2026e", "ed25519", DOMAIN)
LINKED = {
    "list_unsubscribe": "on",
    "unsubscribe_secret": "u" * 32,
    "public_url": "https://ledgerpost.example",
}


def signing(*keys: DkimKey) -> dict[str, Any]:
    return {"mail_from": MAIL_FROM, "dkim_keys": "".join(each.text for each in keys)}


async def test_every_recipient_gets_a_mail_with_good_signatures(system: System) -> None:
    await system.db.execute("INSERT INTO branding (business_id, attach_csv) VALUES (1, true)")
    async with system.relay(), system.mailer(**LINKED, **signing(RSA, ED25519)):
        arabic = await system.send(locale="ar", other_emails=["a@x.example"])
        english = await system.send(message=".\n.hidden\nÀ bientôt,  \t\n\n\n")
        for sent in (arabic, english):
            assert (await system.settled(sent["id"]))["status"] == "sent"
    assert len(system.judge.accepted) == 3
    for mail in system.judge.accepted:
        assert verdicts(mail.data, records(RSA, ED25519)) == [True, True]
        assert "list-unsubscribe-post" in mail.message["DKIM-Signature"].lower().replace(" ", "")
        assert len(list(mail.message.iter_attachments())) == 2
    subjects = {mail.message["Subject"] for mail in system.judge.accepted}
    assert any(not subject.isascii() for subject in subjects)


@pytest.mark.parametrize("keys", [[RSA], [ED25519]], ids=["rsa", "ed25519"])
async def test_opendkim_agrees(system: System, keys: list[DkimKey]) -> None:
    if (reason := opendkim.unavailable()) is not None:
        absent(reason)
    async with system.relay(), system.mailer(**LINKED, **signing(*keys)):
        await system.settled((await system.send(locale="ar"))["id"])
    (mail,) = system.judge.accepted
    assert await opendkim.complaint(mail.data, records(*keys)) is None
    changed = mail.data.replace(b"One-Click", b"One-click")
    assert await opendkim.complaint(changed, records(*keys)) is not None


@pytest.mark.long
async def test_a_long_statement_is_signed(system: System) -> None:
    await system.db.execute(
        "INSERT INTO invoices SELECT 100 + n, 1, 7, 'X' || n, 'invoice', 'issued', '2024-11-05',"
        " NULL, 1 FROM generate_series(1, 4990) n"
    )
    async with system.relay(), system.mailer(**signing(RSA, ED25519)):
        sent = await system.send(7)
        assert (await system.settled(sent["id"], timeout=120))["status"] == "sent"
    (mail,) = system.judge.accepted
    assert len(mail.data) > 500_000
    assert verdicts(mail.data, records(RSA, ED25519)) == [True, True]


async def test_staging_mails_are_signed_as_they_go_out(system: System) -> None:
    staging = {"mail_redirect_to": "staging@lp.example"}
    async with system.relay(), system.mailer(**staging, **LINKED, **signing(RSA)):
        await system.settled((await system.send())["id"])
    (mail,) = system.judge.accepted
    assert (mail.message["To"], mail.message["List-Unsubscribe"]) == ("staging@lp.example", None)
    assert verdicts(mail.data, records(RSA)) == [True]


async def test_a_key_is_rotated_without_a_mail_that_nobody_can_verify(system: System) -> None:
    """First both keys sign, then the new one alone; each record stays until its mails are read."""
    new = key("2027", domain=DOMAIN)
    found = []
    for keys in ([RSA], [RSA, new], [new]):
        async with system.relay(), system.mailer(**signing(*keys)):
            await system.settled((await system.send())["id"])
        found.append(system.judge.accepted[-1].data)
    before, during, after = found
    assert verdicts(before, records(RSA)) == [True]
    # A server that knows one of the records finds one good signature.
    assert verdicts(during, records(RSA)) == [True, False]
    assert verdicts(during, records(new)) == [False, True]
    assert verdicts(after, records(new)) == [True]


async def test_without_keys_no_mail_is_signed(system: System) -> None:
    async with system.relay(), system.mailer():
        await system.settled((await system.send())["id"])
    assert system.judge.accepted[0].message["DKIM-Signature"] is None


async def test_a_preview_is_the_mail_with_its_signatures(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with system.relay(), system.mailer(**signing(RSA)):
        send = (await system.send())["id"]
        await system.settled(send)
    monkeypatch.setenv("DKIM_KEYS", RSA.text)
    status, output, errors = await preview(system, send, "--to", "-")
    assert (status, errors) == (0, "")
    assert output == system.judge.accepted[0].data
    assert verdicts(output, records(RSA)) == [True]
