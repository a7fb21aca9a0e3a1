"""A server is down, refuses or lies: the promises hold all the same."""

import asyncio
from uuid import uuid4

import aio_pika

from shared.amqp import topology
from tests.faults.queue import length, publish, wakeup
from tests.journeys.conftest import System, soon
from tests.judge.script import Accept, Drop, Say
from tests.logged import Logged


async def test_without_rabbitmq_a_send_is_stored_and_goes_out_later(system: System) -> None:
    amqp, system.amqp = system.amqp, "amqp://guest:guest@127.0.0.1:9/"
    async with system.relay() as health:
        sent = await system.send()
        await soon(lambda: _ill(health, "dispatcher"))
        assert (await system.show(sent["id"]))["recipients"][0]["state"] == "scheduled"
    system.amqp = amqp
    async with system.relay(), system.mailer():
        assert (await system.settled(sent["id"]))["status"] == "sent"


async def test_without_the_relay_consumption_pauses_and_no_attempt_counts(system: System) -> None:
    await system.judge.stop()
    async with system.relay(), system.mailer():
        sends = [await system.send() for _ in range(5)]
        for sent in sends:
            await system.until(sent["id"], lambda seen: seen["recipients"][0]["reason"] is not None)
            [recipient] = (await system.show(sent["id"]))["recipients"]
            assert recipient["reason_code"] == "smarthost_unreachable"
        await system.judge.__aenter__()
        for sent in sends:
            seen = await system.settled(sent["id"], timeout=60)
            assert seen["status"] == "sent"
            assert seen["recipients"][0]["attempts"] == 1
    assert set(system.judge.counts().values()) == {1}


async def test_a_4xx_is_tried_again_and_a_5xx_is_not(system: System) -> None:
    system.judge.on("rcpt", Say("451 4.3.0 later"), recipient="a@x.example", times=1)
    system.judge.on("rcpt", Say("550 5.1.1 nobody"), recipient="b@x.example")
    async with system.relay(), system.mailer():
        sent = await system.send(other_emails=["a@x.example", "b@x.example"])
        seen = await system.settled(sent["id"])
        again = await system.send(other_emails=["b@x.example"])
    assert seen["status"] == "partly_failed"
    states = {r["email"]: (r["state"], r["attempts"]) for r in seen["recipients"]}
    assert states == {
        "esi@customers.example.com": ("sent", 1),
        "a@x.example": ("sent", 2),
        "b@x.example": ("failed", 1),
    }
    codes = {r["email"]: r["reason_code"] for r in seen["recipients"]}
    assert codes == {
        "esi@customers.example.com": None,
        "a@x.example": None,
        "b@x.example": "recipient_unknown",
    }
    assert [skipped["email"] for skipped in again["skipped"]] == ["b@x.example"]
    assert again["skipped"][0]["reason_code"] == "suppressed_recipient_unknown"


async def test_a_drop_after_the_dot_is_in_doubt_and_never_sent_again(system: System) -> None:
    system.judge.on("dot", Accept(), Drop(), times=1)
    async with system.relay(), system.mailer():
        sent = await system.send()
        seen = await system.settled(sent["id"])
        await asyncio.sleep(3)
        assert (await system.show(sent["id"]))["recipients"] == seen["recipients"]
    assert seen["recipients"][0]["state"] == "in_doubt"
    assert seen["recipients"][0]["reason_code"] == "reply_missing"
    assert seen["status"] == "partly_failed"
    assert len(system.judge.accepted) == 1


async def test_the_same_wakeup_a_hundred_times_is_one_mail(system: System) -> None:
    async with system.relay():
        sent = await system.send()
        await system.until(sent["id"], lambda seen: seen["recipients"][0]["state"] == "queued")
    connection = await aio_pika.connect(system.amqp)
    async with connection:
        channel = await connection.channel()
        queue = await channel.get_queue(topology.DELIVERIES)
        message = await queue.get()
        exchange = await channel.get_exchange(topology.DELIVERIES, ensure=False)
        copies = [
            exchange.publish(aio_pika.Message(message.body), topology.DELIVERIES)
            for _ in range(100)
        ]
        await asyncio.gather(*copies)
        await message.ack()
        async with system.relay(), system.mailer():
            assert (await system.settled(sent["id"]))["status"] == "sent"

            async def consumed() -> bool:
                state = await channel.declare_queue(topology.DELIVERIES, passive=True)
                return state.declaration_result.message_count == 0

            await soon(consumed)
    assert list(system.judge.counts().values()) == [1]


async def test_the_wakeups_of_another_installation_are_told_of_and_harm_nobody(
    system: System, logged: Logged
) -> None:
    async with system.relay(), system.mailer():
        await publish(system.amqp, *(wakeup(str(uuid4())) for _ in range(3)))
        sent = await system.send()
        assert (await system.settled(sent["id"]))["status"] == "sent"
    [line] = [line for line in logged() if line["event"] == "foreign_wakeups"]
    assert line["level"] == "warning"
    assert await length(system.amqp, topology.DEAD_LETTERS) == 0


async def test_unreadable_messages_go_to_the_dead_letters_and_harm_nobody(system: System) -> None:
    connection = await aio_pika.connect(system.amqp)
    async with connection, system.relay(), system.mailer():
        channel = await connection.channel()
        await topology.declare(channel)
        exchange = await channel.get_exchange(topology.DELIVERIES, ensure=False)
        for body in (b"", b"{", b'{"type": "unknown"}', b"\xff" * 100_000):
            await exchange.publish(aio_pika.Message(body), topology.DELIVERIES)
        sent = await system.send()
        assert (await system.settled(sent["id"]))["status"] == "sent"

        async def buried() -> bool:
            dead = await channel.declare_queue(topology.DEAD_LETTERS, passive=True)
            return dead.declaration_result.message_count == 4

        await soon(buried)


async def _ill(health: object, name: str) -> bool:
    return (await health.report())[name] != "ok"  # type: ignore[attr-defined]
