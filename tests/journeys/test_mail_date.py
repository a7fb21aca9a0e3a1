"""The date of a mail is that of its statement, which is frozen when the mail is due."""

import json
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from services.mailer.preview import preview
from shared.mail.mailbox import Mailbox
from tests.journeys.conftest import System
from tests.judge.script import Say
from tests.judge.server import Accepted

_MOVED = timedelta(days=64)


async def test_a_mail_is_dated_when_its_statement_was_frozen_at_every_attempt(
    system: System,
) -> None:
    system.judge.on("data", Say("451 4.3.0 later"), times=1)
    sent = await system.send()
    async with system.db.transaction():
        # As if it had been asked for long ago, to go out now.
        await system.db.execute("UPDATE sends SET created_at = created_at - $1::interval", _MOVED)
        await system.db.execute(
            "UPDATE deliveries SET created_at = created_at - $1::interval", _MOVED
        )
    async with system.relay(), system.mailer():
        seen = await system.settled(sent["id"])
    assert seen["recipients"][0]["attempts"] == 2
    (mail,) = system.judge.accepted
    assert _date(mail) == await _frozen_at(system.db)
    sender = Mailbox.parse("Ledgerpost <post@ledgerpost.example>")
    shown = await preview(system.dsn, sender, None, UUID(sent["id"]), pdf=True)
    assert shown["message.eml"] == mail.data


async def test_an_old_statement_sent_once_more_is_dated_when_that_was_asked_for(
    system: System,
) -> None:
    async with system.relay(), system.mailer():
        first = await system.send()
        await system.settled(first["id"])
        await system.db.execute("UPDATE sends SET created_at = created_at - $1::interval", _MOVED)
        await system.db.execute(
            "UPDATE statements SET content ="
            ' regexp_replace(content, \'"generated_at" : "[^"]*"\','
            ' \'"generated_at" : "2026-01-02T03:04:05Z"\')'
        )
        async with system.http.post(f"/api/v3/sends/{first['id']}/resend") as response:
            assert response.status == 202
            again = await response.json()
        await system.settled(again["id"])
    asked = datetime.fromisoformat(again["created_at"])
    assert _date(system.judge.accepted[-1]) == asked.replace(microsecond=0)


def _date(mail: Accepted) -> datetime:
    dated: datetime = mail.message["Date"].datetime
    return dated


async def _frozen_at(db: asyncpg.Connection) -> datetime:
    content = json.loads(await db.fetchval("SELECT content FROM statements"))
    return datetime.fromisoformat(content["generated_at"])
