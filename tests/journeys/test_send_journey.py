"""From a request to a mail."""

import asyncio
import hashlib
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import aio_pika

from shared.amqp import topology
from tests.journeys.conftest import System
from tests.judge.script import Say


async def test_a_statement_goes_out_once_and_the_send_tells_of_it(system: System) -> None:
    async with system.relay(), system.mailer():
        sent = await system.send(message="Good morning,\nhere it is.", other_emails="a@x.example")
        assert sent["message"] == "Transactions sent"
        seen = await system.settled(sent["id"])

    assert seen["status"] == "sent"
    assert [r["email"] for r in seen["recipients"]] == ["esi@customers.example.com", "a@x.example"]
    assert {r["state"] for r in seen["recipients"]} == {"sent"}
    assert all(r["attempts"] == 1 and r["reply"].startswith("250") for r in seen["recipients"])
    assert system.judge.counts() == {
        (sent["id"], "esi@customers.example.com"): 1,
        (sent["id"], "a@x.example"): 1,
    }
    mails = {mail.recipient: mail.message for mail in system.judge.accepted}
    mail = mails["esi@customers.example.com"]
    assert mail["From"] == "Kente & Co <post@ledgerpost.example>"
    assert mail["Reply-To"] == "Kente & Co <owner@kente.example.com>"
    assert "a@x.example" not in str(mail["To"])
    text = mail.get_body(("plain",)).get_content()
    assert "Good morning,\nhere it is." in text.replace("\r\n", "\n")
    assert [part.get_content_type() for part in mail.iter_attachments()] == ["application/pdf"]


async def test_mail_and_report_show_the_same_figures(system: System) -> None:
    async with system.relay(), system.mailer():
        sent = await system.send()
        seen = await system.settled(sent["id"])
    async with system.http.get(
        "/api/v3/reports/customers/client/4/2024-11-01/2024-11-30"
    ) as response:
        row = json.loads(await response.text(), parse_float=Decimal)

    stored = await system.db.fetchrow("SELECT sha256, content FROM statements")
    assert hashlib.sha256(stored["content"].encode()).hexdigest() == seen["statement_sha256"]
    assert stored["sha256"].hex() == seen["statement_sha256"]
    statement = json.loads(stored["content"], parse_float=Decimal)
    assert statement["report"] == row
    assert statement["opening_balance"] == 500
    assert (
        statement["closing_balance"]
        == Decimal("500.1") + 1000 - Decimal("100.1") + Decimal("0.2") - Decimal("600.1") - 500
    )
    text = system.judge.accepted[0].message.get_body(("plain",)).get_content()
    assert "900.20" in text
    assert "1,000.10" in text


async def test_a_scheduled_send_waits_for_its_time_and_shows_the_ledger_of_then(
    system: System,
) -> None:
    later = datetime.now(UTC) + timedelta(seconds=6)
    async with system.relay(), system.mailer():
        sent = await system.send(send_at=later.isoformat())
        assert sent["message"] == "Transactions scheduled"
        assert sent["status"] == "scheduled"
        await system.db.execute("UPDATE invoices SET total = 7 WHERE business_id = 1 AND id = 2")
        seen = await system.settled(sent["id"])
    recipient = seen["recipients"][0]
    assert seen["status"] == "sent"
    assert datetime.fromisoformat(recipient["sent_at"]) >= later
    content = await system.db.fetchval("SELECT content FROM statements")
    assert json.loads(content)["report"]["amount_due"] == 907


async def test_a_cancelled_send_never_goes_out(system: System) -> None:
    later = datetime.now(UTC) + timedelta(seconds=6)
    async with system.relay(), system.mailer():
        sent = await system.send(send_at=later.isoformat())
        async with system.http.post(f"/api/v3/sends/{sent['id']}/cancel") as response:
            assert response.status == 200
            assert (await response.json())["status"] == "cancelled"
        async with system.http.post(f"/api/v3/sends/{sent['id']}/cancel") as response:
            assert response.status == 409
        other = await system.send(5)
        await system.settled(other["id"])
        await asyncio.sleep(2.5)
    assert [mail.recipient for mail in system.judge.accepted] == ["part@customers.example.com"]


async def test_a_send_of_a_customer_who_is_gone_says_so(system: System) -> None:
    async with system.relay(), system.mailer():
        sent = await system.send(
            1, other_emails=["a@x.example"], send_at=(datetime.now(UTC) + timedelta(1)).isoformat()
        )
        await system.db.execute("DELETE FROM deposits WHERE business_id = 1 AND customer_id = 1")
        await system.db.execute("DELETE FROM customers WHERE business_id = 1 AND id = 1")
        await system.db.execute("UPDATE deliveries SET due_at = now()")
        seen = await system.settled(sent["id"])
    assert seen["status"] == "failed"
    assert seen["recipients"][0]["reason"] == "customer 1 is not in the ledger any more"
    assert seen["recipients"][0]["reason_code"] == "customer_deleted"


async def test_what_is_later_than_it_may_be_expires(system: System) -> None:
    sent = await system.send()
    await system.db.execute("UPDATE sends SET send_at = now() - interval '2h', expires_at = now()")
    await system.db.execute(
        "UPDATE deliveries SET due_at = now() - interval '2h', expires_at = now()"
    )
    async with system.relay(), system.mailer():
        seen = await system.settled(sent["id"])
    assert seen["recipients"][0]["state"] == "expired"
    assert system.judge.accepted == []


async def test_events_tell_subscribers_of_every_change_in_order(system: System) -> None:
    connection = await aio_pika.connect(system.amqp)
    async with connection:
        channel = await connection.channel()
        await topology.declare(channel)
        queue = await channel.declare_queue(exclusive=True)
        await queue.bind(topology.EVENTS, "delivery.#")
        async with system.relay(), system.mailer():
            sent = await system.send()
            await system.settled(sent["id"])
            events = []
            async with asyncio.timeout(180), queue.iterator() as messages:
                async for message in messages:
                    events.append((message.routing_key, json.loads(message.body)))
                    if message.routing_key == "delivery.sent.1":
                        break
    assert [key for key, _ in events] == [
        "delivery.scheduled.1",
        "delivery.queued.1",
        "delivery.sending.1",
        "delivery.sent.1",
    ]
    last = events[-1][1]
    assert last["specversion"] == "1.0"
    assert last["type"] == "com.ledgerpost.delivery.sent.v1"
    assert last["data"]["send_id"] == sent["id"]
    assert last["data"]["customer_id"] == 4
    assert last["data"]["email"] == "esi@customers.example.com"
    assert last["data"]["reply"].startswith("250")


async def test_staging_redirects_every_mail(system: System) -> None:
    async with system.relay(), system.mailer(mail_redirect_to="staging@lp.example"):
        sent = await system.send(other_emails="a@x.example")
        await system.settled(sent["id"])
    assert {mail.recipient for mail in system.judge.accepted} == {"staging@lp.example"}
    assert {str(mail.message["To"]) for mail in system.judge.accepted} == {"staging@lp.example"}


async def test_a_statement_too_long_for_a_mail_says_so_and_holds_up_nobody(system: System) -> None:
    await system.db.execute(
        "INSERT INTO invoices SELECT 100 + n, 1, 7, 'X' || n, 'invoice', 'issued', '2024-11-05',"
        " NULL, 1 FROM generate_series(1, 5001) n"
    )
    async with system.relay(), system.mailer():
        # Only of a later send is its length not looked at, however long the request takes.
        long, short = await system.send(7, send_at="2099-01-01"), await system.send(4)
        path = f"/api/v3/sends/{long['id']}/reschedule"
        async with system.http.post(path, json={"send_at": "2024-12-01"}) as moved:
            assert moved.status == 200, await moved.text()
        assert (await system.settled(short["id"]))["status"] == "sent"
        seen = await system.settled(long["id"])
    assert seen["status"] == "failed"
    assert seen["recipients"][0]["reason"] == "the statement has more than 5000 lines"
    assert seen["recipients"][0]["reason_code"] == "statement_too_long"


async def test_a_staging_mailbox_that_refuses_suppresses_no_customer(system: System) -> None:
    system.judge.on("rcpt", Say("550 5.1.1 nobody"))
    async with system.relay(), system.mailer(mail_redirect_to="staging@lp.example"):
        sent = await system.send()
        assert (await system.settled(sent["id"]))["status"] == "failed"
    assert await system.db.fetchval("SELECT count(*) FROM suppressions") == 0
