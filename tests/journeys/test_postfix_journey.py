"""A mail that a destination refuses comes back through a real Postfix, and bounces."""

import asyncio
from typing import Literal
from uuid import UUID

import pytest

from services.mailer.returns import app as returns
from shared.mail.return_path import ReturnPaths
from shared.process.listen_addresses import ListenAddress
from shared.process.returns_settings import ReturnsSettings
from tests.faults.returned import free_port
from tests.journeys.conftest import System
from tests.judge import postfix
from tests.judge.script import Say
from tests.logged import Logged
from tests.peer import Peer
from tests.roles import acting
from tests.servers import absent
from tests.services.mailer.returns.mail_server import connected

SECRET = "a secret of more than thirty-two characters"
PATHS = ReturnPaths(SECRET, "back.example")
SIGNED = {"return_secret": SECRET, "bounce_domain": "back.example"}
PERSON = "esi@customers.example.com"
REFUSED = "550 5.1.1 <esi@customers.example.com>: Recipient address rejected: User unknown"
# As in docs/mail-server.md, and a way to the destination.
MAIN = """\
mynetworks = 127.0.0.0/8
smtpd_client_restrictions =
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_recipient_restrictions = reject_unverified_recipient
unverified_recipient_reject_code = 550
relay_domains = back.example
# A bounce that is faster than the mailer's commit is asked to come again.
queue_run_delay = 1s
minimal_backoff_time = 1s
maximal_backoff_time = 1s
transport_maps = inline:{{ back.example={protocol}:{listener},
    customers.example.com=smtp:[127.0.0.1]:{destination} }}
"""


@pytest.fixture(autouse=True)
def needs_postfix() -> None:
    if (reason := postfix.unavailable()) is not None:
        absent(reason)


@pytest.mark.parametrize("protocol", [pytest.param("smtp", marks=pytest.mark.long), "lmtp"])
async def test_a_refused_mail_comes_back(
    system: System, asker: Peer, protocol: Literal["smtp", "lmtp"], logged: Logged
) -> None:
    port = free_port()
    listening = ReturnsSettings(
        database_url=acting(system.dsn, "mailer"),
        returns_listen=(ListenAddress(protocol, "127.0.0.1", port),),
        returns_ops_port=0,
        **SIGNED,
    )
    place = f"[127.0.0.1]:{port}" if protocol == "smtp" else f"inet:127.0.0.1:{port}"
    main = MAIN.format(protocol=protocol, listener=place, destination=system.judge.port)
    # Postfix asks about the recipient before; the mail is refused only when it is sent.
    system.judge.on("data", Say(REFUSED), recipient=PERSON)
    stop = asyncio.Event()
    receiving = asyncio.create_task(returns.run(listening, stop))
    async with postfix.postfix(main) as (smarthost, queued):
        async with (
            system.relay(),
            system.mailer(smtp_url=f"smtp://127.0.0.1:{smarthost}", **SIGNED),
        ):
            sent = await system.send()
            seen = await system.until(
                sent["id"], lambda seen: seen["recipients"][0]["state"] == "bounced", timeout=60
            )
            [told] = await asker.events("delivery.bounced.1")
        [person] = seen["recipients"]
        assert (person["state"], person["reason_code"]) == ("bounced", "bounced_recipient")
        assert "User unknown" in person["reason"]
        assert told["data"]["delivery_id"] == person["id"]
        [back] = (await (await system.http.get("/api/v3/returns")).json())["data"]
        assert (back["kind"], back["status"]) == ("bounce", "5.1.1")
        assert back["effect"] == ["bounced", "suppressed"]
        skipped = (await system.send(other_emails=["mate@x.example"]))["skipped"]
        assert [each["email"] for each in skipped] == [PERSON]
        async with connected(smarthost) as stranger:
            await stranger.say("MAIL FROM:<>")
            path = PATHS.address(UUID(person["id"]))
            forged = path.replace(path[-20:-13], "aaaaaaa")
            assert (await stranger.say(f"RCPT TO:<{forged}>"))[:3] == "550"
            assert (await stranger.say(f"RCPT TO:<{path}>"))[:3] == "250"
        async with asyncio.timeout(180):
            while await queued():
                await asyncio.sleep(0.05)
    stop.set()
    await receiving
    assert not any(PERSON in str(each) for each in logged())
