"""A request over the queue with outages, redeliveries and replays."""

import asyncio
import json

import asyncpg
import pytest
from aiormq.abc import DeliveredMessage

from services.api.intake import consumer as relay_intake
from services.mailer import dead_letters
from shared.amqp import topology
from shared.amqp.subscription import accept
from tests.journeys.conftest import System, sends, soon
from tests.peer import Peer, request
from tests.services.api.tcp_proxy import between


async def test_requests_wait_for_postgres_and_none_is_lost(system: System, asker: Peer) -> None:
    async with between(system.dsn) as way, system.relay(database_url=way.dsn) as health:
        await asker.ask(request("before"))
        await asker.reply()
        await way.cut()
        for number in range(20):
            await asker.ask(request(str(number)))

        async def says(text: str) -> bool:
            return text in (await health.report())["intake"]

        await soon(lambda: says("consumption pauses"))
        await asyncio.sleep(1)
        assert len(asker.answered) == 1
        await way.open()
        await asker.reply(21)
        await soon(lambda: says("ok"))
    assert await sends(system) == 21
    assert await asker.waiting(topology.DEAD_LETTERS) == 0


async def test_requests_wait_for_the_migrations_of_a_new_version(
    system: System, asker: Peer
) -> None:
    conn = await asyncpg.connect(system.dsn)
    try:
        async with system.relay():
            await asker.ask(request("before"))
            await asker.reply()
            await conn.execute("ALTER TABLE sends RENAME TO sends_of_old")
            for number in range(10):
                await asker.ask(request(str(number)))
            await asyncio.sleep(2)
            assert len(asker.answered) == 1
            await conn.execute("ALTER TABLE sends_of_old RENAME TO sends")
            await asker.reply(11)
    finally:
        await conn.close()
    assert await sends(system) == 11
    assert await asker.waiting(topology.DEAD_LETTERS) == 0


async def test_requests_are_taken_again_after_their_queue_was_deleted(
    system: System, asker: Peer
) -> None:
    async with system.relay() as health:
        await asker.ask(request("before"))
        await asker.reply()
        await asker.channel.queue_delete(topology.SEND_REQUESTS)

        async def there() -> bool:
            return (await health.report())["intake"] == "ok"

        async def away() -> bool:
            return not await there()

        await soon(away)
        await soon(there)
        await asker.ask(request("after"))
        assert (await asker.reply(2))["requestid"] == "after"
    assert await sends(system) == 2


async def test_a_relay_that_loses_the_broker_between_commit_and_acknowledgement_sends_once(
    system: System, asker: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The acknowledgement never arrives; the redelivered message finds the send."""
    lost = 0

    async def lose(message: DeliveredMessage) -> None:
        nonlocal lost
        lost += 1
        if lost > 2:
            await accept(message)

    monkeypatch.setattr(relay_intake, "accept", lose)
    for _ in range(2):
        async with system.relay():
            if not lost:
                await asker.ask(request("crash"))
            await asker.reply(lost + 1)
    async with system.relay():
        await asker.reply(3)

        async def settled() -> bool:
            return await asker.waiting(topology.SEND_REQUESTS) == 0

        await soon(settled)
    assert lost == 3
    assert {each.body for each in asker.answered} == {asker.answered[0].body}
    assert await sends(system) == 1


async def test_a_refused_request_that_comes_again_is_one_event_and_one_kind_of_dead_letter(
    system: System, asker: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lose(_: DeliveredMessage) -> None:
        pass

    with monkeypatch.context() as patch:
        patch.setattr(relay_intake, "accept", lose)
        async with system.relay():
            await asker.ask(request("crash", customer_id=99))
            await asker.reply()
    async with system.relay():
        await asker.reply(2)
        await asker.dead(2)
        await asker.ask(request("last"))
        await asker.events("send-request.accepted.1")
    assert {letter.reason for letter in await dead_letters.read(system.amqp, 9)} == {
        "404 There is no such customer."
    }
    assert len({letter.id for letter in await dead_letters.read(system.amqp, 9)}) == 1
    assert len({each["id"] for each in await asker.events("send-request.refused.1")}) == 1


async def test_a_dead_request_replayed_is_asked_again_and_answered_anew(
    system: System, asker: Peer
) -> None:
    asked = request("early", customer_id=99, other_emails="a@x.example")
    async with system.relay():
        await asker.ask(asked, correlation_id="c-9")
        assert (await asker.reply())["data"]["status"] == 404
        [letter] = await dead_letters.read(system.amqp, 9)
        assert (letter.queue, letter.body) == (topology.SEND_REQUESTS, json.dumps(asked).encode())
        await system.db.execute(
            "INSERT INTO customers (business_id, id, owner_id, business_name)"
            " VALUES (1, 99, 1, 'Early bird')"
        )
        await dead_letters.replay(system.amqp, {letter.id})
        accepted = await asker.reply(2)
    assert accepted["type"] == "com.ledgerpost.send-request.accepted.v1"
    assert asker.answered[1].correlation_id == "c-9"
    assert await dead_letters.read(system.amqp, 9) == []
    assert await sends(system) == 1
