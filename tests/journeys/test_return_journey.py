"""A mail comes back: the return path that the mail server saw leads to its delivery."""

import asyncio
import json
from typing import Any
from uuid import UUID

import aio_pika
import asyncpg
import pytest

from shared.amqp import topology
from shared.mail.return_path import ReturnPaths
from shared.returns import intake
from shared.returns.intake import Incoming
from tests.journeys.conftest import System
from tests.judge.script import Say
from tests.logged import Logged
from tests.roles import acting
from tests.shared.returns.mails import failure, feedback, report

SECRET = "a secret of more than thirty-two characters"
PATHS = ReturnPaths(SECRET, "back.example")
SIGNED = {"return_secret": SECRET, "bounce_domain": "back.example"}
PERSON, MATE = "esi@customers.example.com", "mate@x.example"
GONE = report(failure("5.1.1", "550 5.1.1 user unknown"))


async def came(system: System, raw: bytes, address: str) -> None:
    """Take a mail in with the rights of the API."""
    conn = await asyncpg.connect(acting(system.dsn, "api"))
    try:
        found = await intake.match(conn, address, PATHS)
        assert found is not None
        await intake.take(conn, Incoming(raw, "api", address), found)
    finally:
        await conn.close()


def states(seen: dict[str, Any]) -> dict[str, tuple[str, str | None]]:
    return {each["email"]: (each["state"], each["reason_code"]) for each in seen["recipients"]}


async def test_a_bounce_changes_the_send_is_told_and_ends_mail_to_the_address(
    system: System,
) -> None:
    system.judge.on("dot", Say("451 4.7.1 greylisted"), recipient=PERSON, times=1)
    async with system.relay(), system.mailer(**SIGNED):
        sent = await system.send(other_emails=MATE)
        await system.settled(sent["id"])
        paths = {mail.recipient: mail.sender for mail in system.judge.accepted}
        ids = {each["email"]: UUID(each["id"]) for each in sent["recipients"]}
        # Also at the second attempt.
        assert paths == {email: PATHS.address(number) for email, number in ids.items()}
        connection = await aio_pika.connect(system.amqp)
        async with connection:
            queue = await (await connection.channel()).declare_queue(exclusive=True)
            await queue.bind(topology.EVENTS, "delivery.bounced.1")
            await came(system, GONE, paths[PERSON])
            seen = await system.show(sent["id"])
            assert seen["status"] == "partly_failed"
            assert states(seen) == {PERSON: ("bounced", "bounced_recipient"), MATE: ("sent", None)}

            async with asyncio.timeout(180), queue.iterator() as messages:
                told = json.loads((await anext(messages)).body)
            assert told["type"] == "com.ledgerpost.delivery.bounced.v1"
            assert told["data"]["delivery_id"] == str(ids[PERSON])
            assert told["data"]["reason_code"] == "bounced_recipient"
        await came(system, feedback("Feedback-Type: abuse"), paths[MATE])
        seen = await system.show(sent["id"])
        assert seen["status"] == "failed"
        assert states(seen)[MATE] == ("complained", "complained")

        # Neither address gets further mail, until the customer has another one.
        again = await system.send(other_emails=[MATE, "third@x.example"])
        assert {each["email"] for each in again["skipped"]} == {PERSON, MATE}
        await system.db.execute(
            "UPDATE customers SET business_email = 'new@customers.example.com' WHERE id = 4"
        )
        new = await system.settled((await system.send())["id"])
        assert states(new) == {"new@customers.example.com": ("sent", None)}


@pytest.mark.parametrize("settings", [{}, SIGNED | {"return_path": "plain"}])
async def test_without_a_secret_or_if_plain_is_chosen_it_is_the_sender(
    system: System, settings: dict[str, str], logged: Logged
) -> None:
    async with system.relay(), system.mailer(**settings):
        await system.settled((await system.send())["id"])
    warned = [each for each in logged() if each.get("setting") == "RETURN_SECRET"]
    assert len(warned) == (not settings)
    assert {mail.sender for mail in system.judge.accepted} == {"post@ledgerpost.example"}


async def test_a_late_bounce_settles_a_mail_in_doubt(system: System) -> None:
    async with system.relay(), system.mailer(**SIGNED):
        sent = await system.send()
        await system.settled(sent["id"])
    delivery = sent["recipients"][0]["id"]
    await system.db.execute(
        "UPDATE deliveries SET state = 'in_doubt', sent_at = NULL WHERE id = $1", delivery
    )
    await came(system, GONE, PATHS.address(UUID(delivery)))
    path = f"/api/v3/deliveries/{delivery}/resolve"
    async with system.http.post(path, json={"as": "resend"}) as response:
        assert response.status == 409
    assert states(await system.show(sent["id"])) == {PERSON: ("bounced", "bounced_recipient")}


async def test_what_comes_back_of_a_redirected_mail_names_no_delivery(system: System) -> None:
    """The staging address may not exist; that says nothing about the customer's."""
    async with system.relay(), system.mailer(**SIGNED, mail_redirect_to="staging@lp.example"):
        await system.settled((await system.send())["id"])
    [mail] = system.judge.accepted
    assert mail.recipient == "staging@lp.example"
    assert PATHS.delivery(mail.sender) is None
    assert "bounce" not in mail.sender


async def test_of_two_recipients_only_the_one_whose_mail_bounced_is_suppressed(
    system: System,
) -> None:
    async with system.relay(), system.mailer(**SIGNED):
        sent = await system.send(other_emails=MATE)
        await system.settled(sent["id"])
        paths = {mail.recipient: mail.sender for mail in system.judge.accepted}
        await came(system, GONE, paths[MATE])
        async with system.http.get("/api/v3/suppressions") as response:
            assert [each["email"] for each in (await response.json())["data"]] == [MATE]
        found = states(await system.show(sent["id"]))
        assert found == {PERSON: ("sent", None), MATE: ("bounced", "bounced_recipient")}
        async with system.http.post(f"/api/v3/sends/{sent['id']}/resend") as response:
            again = await response.json()
            assert response.status == 202, again
        assert [each["email"] for each in again["recipients"]] == [PERSON]
        assert [each["email"] for each in again["skipped"]] == [MATE]
        await system.settled(again["id"])
    assert [mail.recipient for mail in system.judge.accepted].count(MATE) == 1
