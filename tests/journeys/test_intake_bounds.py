"""The limits of requests over the queue, and the queues that answers may reach."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import aio_pika
import pytest

from provision.servers import Servers
from services.api.access import store as access
from services.api.intake import refusing
from services.api.intake.replies import Replies
from services.mailer import dead_letters
from shared.amqp import topology
from tests.journeys.conftest import System, sends
from tests.peer import Peer, peer, request
from tests.vhosts import Vhosts


async def answers(system: System) -> int:
    return int(await system.db.fetchval("SELECT count(*) FROM request_answers"))


async def test_requests_count_against_the_window_of_their_key(system: System, asker: Peer) -> None:
    async with system.relay(rate_limit=5):
        for number in range(9):
            await asker.ask(request(str(number), customer_id=99 if number % 2 else 4))
        await asker.reply(9)
        told = [json.loads(each.body)["data"] for each in asker.answered]
    limited = [each for each in told if each.get("status") == 429]
    assert len(limited) == 4
    assert "5 requests per minute" in limited[0]["detail"]
    # What was asked too often is told to the asker, and nothing is stored of it.
    assert await answers(system) == 5


async def test_a_key_that_opens_nothing_is_not_looked_up_for_ever(system: System) -> None:
    made = await access.create(system.db, business_id=1, name="old", scopes=["transactions:send"])
    await system.db.execute("UPDATE api_keys SET revoked_at = now() WHERE name = 'old'")
    async with peer(system.amqp, made.text) as asker, system.relay():
        for number in range(90):
            await asker.ask(request(str(number)))
        letters = await asker.dead(90)
    looked_up = [str(each.headers[topology.REASON])[:3] for each in letters].count("401")
    assert 60 <= looked_up < 80  # some are looked up at the same time
    assert asker.answered == []


async def test_names_of_a_request_are_bounded(system: System, asker: Peer) -> None:
    async with system.relay():
        for name in ("id", "source"):
            await asker.ask(request("most") | {name: "x" * 255})
            await asker.ask(request("more") | {name: "x" * 256})
        await asker.reply(4)
        told = [json.loads(each.body) for each in asker.answered]
    at_fault = [each["field"] for one in told for each in one["data"].get("errors", ())]
    assert sorted(at_fault) == ["id", "source"]
    assert await sends(system) == 2


async def test_what_cannot_be_read_is_kept_in_part_and_its_answer_is_not_stored(
    system: System, asker: Peer
) -> None:
    body = json.dumps({"id": secrets.token_hex(500_000), "source": "s"}).encode()
    async with system.relay():
        await asker.ask(body, headers={"x-large": "x" * 50_000})
        await asker.ask(b"{")
        await asker.reply(2)
        letters = sorted(await asker.dead(2), key=lambda each: len(each.body))
    # Without a name it is told to subscribers all the same, in few words.
    assert await system.db.fetchval("SELECT max(length(event)) FROM request_answers") < 1_000
    assert await answers(system) == 1
    assert [len(each.body) for each in letters] == [1, 64 * 1024]
    assert letters[1].headers[topology.CUT_FROM] == len(body)
    assert len(str(letters[1].headers)) < 2_000
    found = [each for each in await dead_letters.read(system.amqp, 9) if len(each.body) > 1]
    with pytest.raises(dead_letters.TruncatedDeadLetter):
        await dead_letters.replay(system.amqp, {found[0].id})
    assert len(await asker.dead(2)) == 2


async def test_so_many_refused_requests_of_a_business_and_a_day_are_kept(
    system: System, asker: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refusing, "_REFUSED_A_DAY", 3)
    async with peer(system.amqp, None) as stranger, system.relay():
        for number in range(6):
            await asker.ask(request(str(number), customer_id=99))
            await stranger.ask(request(str(number)))
        await asker.reply(6)
        await asker.ask(request("good"))
        await asker.reply(7)
        await asker.events("send-request.accepted.1")
        async with asyncio.timeout(180):
            while await asker.waiting(topology.SEND_REQUESTS):
                await asyncio.sleep(0.05)
        letters = await asker.dead(6)
    assert len(letters) == 6
    assert await answers(system) == 4


@pytest.fixture
async def confined(system: System, servers: Servers) -> AsyncIterator[str]:
    """The address of the broker for a user that may send requests and use only its own queues."""
    assert servers.management_url is not None
    vhosts = Vhosts(servers.management_url)
    name, password = f"peer_{secrets.token_hex(4)}", secrets.token_hex(16)
    parts = urlsplit(system.amqp)
    vhosts.create_user(name, password)
    vhosts.permit(
        parts.path.strip("/"),
        name,
        configure="^peer-",
        write=r"^ledgerpost[.]intake$",
        read="^peer-",
    )
    yield parts._replace(netloc=f"{name}:{password}@{parts.hostname}:{parts.port}").geturl()
    vhosts.delete_user(name)


async def test_no_answer_goes_where_its_asker_may_not_write(
    system: System, asker: Peer, confined: str
) -> None:
    theirs = await asker.channel.declare_queue("crm-events", durable=True)
    own = await asker.channel.declare_queue("reply-own", exclusive=True)
    key = await access.create(system.db, business_id=2, name="p", scopes=["transactions:send"])
    connection = await aio_pika.connect(confined)
    async with connection, system.relay(reply_to_prefix="reply-"):
        channel = await connection.channel()
        entrance = await channel.get_exchange(topology.INTAKE, ensure=False)
        for text in ("", key.text):
            message = aio_pika.Message(
                json.dumps(request("x")).encode(),
                reply_to=theirs.name,
                headers={"authorization": f"Bearer {text}"},
            )
            await entrance.publish(message, topology.SEND_REQUESTS)
        await asker.events("send-request.accepted.2")
        await asker.ask(request("y"), reply_to=own.name)
        async with asyncio.timeout(180):
            while await asker.waiting(own.name) == 0:
                await asyncio.sleep(0.05)
        assert await asker.waiting(theirs.name) == 0


async def test_a_direct_reply_comes_and_a_malformed_name_takes_no_answer_along(
    system: System, asker: Peer, logged: Any
) -> None:
    junk = ("junk", "junk.junk", "g2dkAA==.junk", "=" * 90 + "." + "=" * 30)
    async with system.relay() as health:
        connection = await aio_pika.connect(system.amqp)
        async with connection:
            channel = await connection.channel()
            direct: asyncio.Queue[Any] = asyncio.Queue()
            replies = await channel.get_queue("amq.rabbitmq.reply-to", ensure=False)
            await replies.consume(direct.put, no_ack=True)
            entrance = await channel.get_exchange(topology.INTAKE, ensure=False)
            for number, name in enumerate(junk):
                await asker.ask(request(f"j{number}"), f"amq.rabbitmq.reply-to.{name}")
                message = aio_pika.Message(
                    json.dumps(request(f"d{number}")).encode(),
                    reply_to="amq.rabbitmq.reply-to",
                    headers={"authorization": f"Bearer {asker.key}"},
                )
                await entrance.publish(message, topology.SEND_REQUESTS)
                async with asyncio.timeout(180):
                    told = json.loads((await direct.get()).body)
                assert told["type"] == "com.ledgerpost.send-request.accepted.v1"
                assert told["requestid"] == f"d{number}"
        await asker.events("send-request.accepted.1", number=2 * len(junk))
        assert set((await health.report()).values()) == {"ok"}
        assert await asker.waiting(topology.SEND_REQUESTS) == 0
    ours = [each for each in logged() if str(each["logger"]).startswith("ledgerpost")]
    assert {each["level"] for each in ours} == {"info"}
    assert await asker.waiting(topology.DEAD_LETTERS) == 0


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("amq.gen-JzTY20BRgKO-HjmUJj0wLg", True),
        ("amq.rabbitmq.reply-to.g1h2AA5yZXBseUA2.Tw==", True),
        ("crm-replies", True),
        ("amq.gen-", False),
        ("amq.rabbitmq.reply-to.junk", False),
        ("amq.rabbitmq.reply-to", False),
        ("crm", False),
        ("other", False),
        ("", False),
        *((name, False) for name in sorted(topology.QUEUES)),
    ],
)
def test_names_to_which_answers_may_go(name: str, *, allowed: bool) -> None:
    assert Replies("amqp://nowhere", "crm-").allows(name) is allowed
    if name.startswith("crm"):
        assert not Replies("amqp://nowhere", None).allows(name)
