"""The sending policy, from request to mail: rates, quota, suppressions, unsubscribing."""

import asyncio
import socket
import sys
import time
from typing import Any
from urllib.parse import quote, urlsplit
from uuid import UUID

import aio_pika
import aiohttp
import pytest

from services.api.app import create_app
from services.mailer.preview import preview
from shared.amqp import topology
from shared.mail.mailbox import Mailbox
from shared.mail.unsubscribe import Links
from shared.process.settings import ApiSettings
from tests.app_runner import running
from tests.journeys.conftest import System, soon
from tests.judge.script import Say
from tests.roles import acting

SECRET = "a secret of more than thirty-two characters"
LINKED = {
    "unsubscribe_secret": SECRET,
    "list_unsubscribe": "on",
    "public_url": "https://ledgerpost.example",
}


async def test_who_clicks_unsubscribe_gets_no_more_mail_until_lifted(system: System) -> None:
    other = "ɛsi@exämple.com"
    async with system.relay(), system.mailer(**LINKED):
        sent = await system.send(other_emails=other)
        await system.settled(sent["id"])
        mails = {mail.recipient: mail.message for mail in system.judge.accepted}
        link = str(mails["esi@customers.example.com"]["List-Unsubscribe"])
        assert link.startswith("<https://ledgerpost.example/unsubscribe/")
        assert mails["esi@customers.example.com"]["List-Unsubscribe-Post"] == (
            "List-Unsubscribe=One-Click"
        )
        links = {str(mail["List-Unsubscribe"]) for mail in mails.values()}
        assert len(links) == 2
        # Clicked while another mail is on its way: that one does not go out any more.
        waiting = await system.send(send_at="2999-01-01")
        await _click(system, urlsplit(link.strip("<>")).path)
        await system.db.execute("UPDATE deliveries SET due_at = now() WHERE state = 'scheduled'")
        seen = await system.settled(waiting["id"])
    assert seen["recipients"][0]["state"] == "suppressed"
    assert seen["recipients"][0]["reason"] == "unsubscribed by the link in a mail"
    assert seen["recipients"][0]["reason_code"] == "suppressed_unsubscribed"
    again = await system.send(other_emails=other)
    assert [skipped["email"] for skipped in again["skipped"]] == ["esi@customers.example.com"]
    path = f"/api/v3/suppressions/{quote('ESI@customers.example.com')}"
    async with system.http.delete(path) as response:
        assert response.status == 204
    assert (await system.send())["skipped"] == []


async def test_the_preview_has_the_links_too(system: System) -> None:
    async with system.relay(), system.mailer(**LINKED):
        sent = await system.send()
        await system.settled(sent["id"])
    sender = Mailbox.parse("Ledgerpost <post@ledgerpost.example>")
    links = Links(SECRET, "https://ledgerpost.example")
    url = LINKED["public_url"]
    files = await preview(system.dsn, sender, links, UUID(sent["id"]), pdf=True, public_url=url)
    shown = files["message.eml"]
    assert shown == system.judge.accepted[0].data
    assert b"\r\nList-Unsubscribe: <https://" in shown


async def test_without_the_setting_mails_have_no_links(system: System) -> None:
    async with system.relay(), system.mailer():
        await system.settled((await system.send())["id"])
    assert system.judge.accepted[0].message["List-Unsubscribe"] is None


async def test_redirected_mails_have_none_either(system: System) -> None:
    async with system.relay(), system.mailer(**LINKED, mail_redirect_to="staging@lp.example"):
        await system.settled((await system.send())["id"])
    assert system.judge.accepted[0].message["List-Unsubscribe"] is None


async def test_an_address_that_is_refused_is_listed_and_lifted_by_any_spelling(
    system: System,
) -> None:
    refused = system.judge.on("rcpt", Say("550 5.1.1 nobody"), recipient="Ɛsi@xn--exmple-cua.com")
    async with system.relay(), system.mailer():
        sent = await system.send(customer=4, other_emails=["Ɛsi@exämple.com"])
        await system.settled(sent["id"])
        async with system.http.get("/api/v3/suppressions") as response:
            (listed,) = (await response.json())["data"]
        assert listed["email"] == "ɛsi@xn--exmple-cua.com"
        assert listed["reason"] == "550 5.1.1 nobody"
        assert listed["reason_code"] == "suppressed_recipient_unknown"
        async with system.http.delete(f"/api/v3/suppressions/{quote('ƐSI@EXÄMPLE.com')}") as lifted:
            assert lifted.status == 204
        system.judge.rules.remove(refused)
        again = await system.send(other_emails=["ɛsi@exämple.com"])
        assert (await system.settled(again["id"]))["status"] == "sent"


async def test_a_domain_has_its_rate_and_the_others_theirs(system: System) -> None:
    many = [f"a{number}@slow.example" for number in range(6)]
    async with system.relay(), system.mailer(domain_rate=0.5):
        begin = time.monotonic()
        sent = await system.send(other_emails=[*many, "a@other.example"])
        early = await system.until(
            sent["id"],
            lambda seen: _states(seen)["a@other.example"] == "sent" and "deferred" in _all(seen),
        )
        seen = await system.settled(sent["id"], timeout=60)
    put_off = [r for r in early["recipients"] if r["state"] == "deferred"]
    assert {r["reason"] for r in put_off} == {"waits for the rate of slow.example"}
    assert {r["reason_code"] for r in put_off} == {"rate_limited"}
    assert {r["attempts"] for r in put_off} == {0}
    assert seen["status"] == "sent"
    assert {r["attempts"] for r in seen["recipients"]} == {1}
    assert set(system.judge.counts().values()) == {1}
    # The first of six mails goes at once, the others two seconds after one another.
    last = max(mail.at for mail in system.judge.accepted if "slow" in mail.recipient)
    assert last - begin >= 5 * 2


async def test_the_relay_has_its_rate(system: System) -> None:
    async with system.relay(), system.mailer(smarthost_rate=5):
        begin = time.monotonic()
        sent = await system.send(other_emails=[f"a@x{n}.example" for n in range(19)])
        seen = await system.settled(sent["id"], timeout=60)
    assert {r["attempts"] for r in seen["recipients"]} == {1}
    assert max(mail.at for mail in system.judge.accepted) - begin >= 19 / 5


async def test_while_no_rendering_process_starts_mails_wait_uncounted_and_readiness_says_why(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = _free_port()
    started: list[asyncio.subprocess.Process] = []
    start = asyncio.create_subprocess_exec

    async def kept(*command: str, **options: Any) -> asyncio.subprocess.Process:
        started.append(await start(*command, **options))
        return started[-1]

    monkeypatch.setattr(asyncio, "create_subprocess_exec", kept)
    async with system.relay(), system.mailer(mailer_ops_port=port):

        async def works() -> bool:
            return bool(started) and (await _checks(port)).get("rendering") == "ok"

        await soon(works)
        with monkeypatch.context() as broken:
            broken.setattr(sys, "executable", "/nonexistent/python")
            started[0].kill()
            await started[0].wait()
            sent = await system.send()

            async def waits() -> bool:
                (recipient,) = (await system.show(sent["id"]))["recipients"]
                return "could not be made yet" in (recipient["reason"] or "")

            await soon(waits)
            checks = await _checks(port)
            assert checks["rendering"] == "there is no rendering process"
            assert checks["compositors"] == checks["rendering"], "the old name, for one release"
            (recipient,) = (await system.show(sent["id"]))["recipients"]
            assert (recipient["state"], recipient["attempts"]) == ("deferred", 0)

        async def is_sent() -> bool:
            return bool((await system.show(sent["id"]))["status"] == "sent")

        await soon(is_sent)
    assert len(system.judge.accepted) == 1


async def _checks(port: int) -> dict[str, Any]:
    try:
        return (await _ready(port))[1]
    except aiohttp.ClientConnectorError:  # it is about to start
        return {}


async def test_while_the_relay_is_away_nothing_is_consumed_and_readiness_says_why(
    system: System,
) -> None:
    port = _free_port()
    await system.judge.stop()
    connection = await aio_pika.connect(system.amqp)
    async with connection, system.relay(), system.mailer(mailer_ops_port=port):
        channel = await connection.channel()
        await topology.declare(channel)
        sent = await system.send()

        async def pauses() -> bool:
            queue = await channel.declare_queue(topology.DELIVERIES, passive=True)
            try:
                status, checks = await _ready(port)
            except aiohttp.ClientConnectorError:  # it is about to start
                return False
            return (
                queue.declaration_result.consumer_count == 0
                and status == 503
                and checks["smarthost"] != "ok"
            )

        await soon(pauses)
        _, checks = await _ready(port)
        assert "consumption pauses" in str(checks["smarthost"])
        assert checks["relay"] == checks["smarthost"], "the old name, for one release"
        assert (checks["postgres"], checks["rabbitmq"]) == ("ok", "ok")
        (recipient,) = (await system.show(sent["id"]))["recipients"]
        assert recipient["attempts"] == 0
        await system.judge.__aenter__()
        assert (await system.settled(sent["id"], timeout=60))["status"] == "sent"

        async def goes_on() -> bool:
            queue = await channel.declare_queue(topology.DELIVERIES, passive=True)
            return queue.declaration_result.consumer_count == 1 and (await _ready(port))[0] == 200

        await soon(goes_on)
    (recipient,) = (await system.show(sent["id"]))["recipients"]
    assert recipient["attempts"] == 1
    assert await system.db.fetchval("SELECT max(claims) FROM deliveries") == 0


async def _click(system: System, path: str) -> None:
    """Post a link as a mail service does: to an API that has the secret, without a key."""
    settings = ApiSettings(database_url=acting(system.dsn, "api"), unsubscribe_secret=SECRET)
    click = {"List-Unsubscribe": "One-Click"}
    async with (
        running(create_app(settings)) as url,
        aiohttp.ClientSession(url) as http,
        http.post(path, data=click) as response,
    ):
        assert response.status == 200


async def _ready(port: int) -> tuple[int, dict[str, Any]]:
    url = f"http://127.0.0.1:{port}/health/ready"
    async with aiohttp.ClientSession() as http, http.get(url) as response:
        return response.status, (await response.json())["checks"]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _states(seen: dict[str, Any]) -> dict[str, str]:
    return {each["email"]: each["state"] for each in seen["recipients"]}


def _all(seen: dict[str, Any]) -> set[str]:
    return set(_states(seen).values())
