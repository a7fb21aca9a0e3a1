import asyncio
from collections.abc import AsyncIterator

import aio_pika
import pytest
from aio_pika.abc import AbstractChannel

from services.mailer import dead_letters
from services.mailer.dead_letters import NoSuchDeadLetter
from shared.amqp import topology
from tests.commands import Ended, ended

BODIES = (b"one", b"two", b"two", b"three")


@pytest.fixture
async def channel(broker: str) -> AsyncIterator[AbstractChannel]:
    """A channel to a broker on which four messages died, two of them the same."""
    connection = await aio_pika.connect(broker)
    async with connection:
        opened = await connection.channel()
        await topology.declare(opened)
        queue = await opened.get_queue(topology.DELIVERIES)
        exchange = await opened.get_exchange(topology.DELIVERIES, ensure=False)
        for body in BODIES:
            await exchange.publish(aio_pika.Message(body, message_id="m"), topology.DELIVERIES)
        for _ in BODIES:
            message = await queue.get(timeout=10)
            await message.reject(requeue=False)
        async with asyncio.timeout(180):
            while await waiting(opened, topology.DEAD_LETTERS) < len(BODIES):
                await asyncio.sleep(0.05)
        yield opened


async def waiting(channel: AbstractChannel, queue: str) -> int:
    state = await channel.declare_queue(queue, passive=True)
    return state.declaration_result.message_count or 0


async def bodies(broker: str) -> list[bytes]:
    return [letter.body for letter in await dead_letters.read(broker, 100)]


async def ids(broker: str) -> dict[bytes, str]:
    return {letter.body: letter.id for letter in await dead_letters.read(broker, 100)}


async def test_to_choose_takes_nothing(broker: str, channel: AbstractChannel) -> None:
    known = await ids(broker)
    chosen = await dead_letters.choose(broker, {known[b"two"]})
    assert [letter.body for letter in chosen] == [b"two", b"two"]
    assert len(await dead_letters.choose(broker, None)) == 4
    assert sorted(await bodies(broker)) == sorted(BODIES)
    assert await waiting(channel, topology.DELIVERIES) == 0


async def test_dropped_letters_are_gone_and_the_others_stay(
    broker: str, channel: AbstractChannel
) -> None:
    known = await ids(broker)
    assert len(await dead_letters.drop(broker, {known[b"two"]})) == 2
    assert sorted(await bodies(broker)) == [b"one", b"three"]
    assert await waiting(channel, topology.DELIVERIES) == 0
    assert len(await dead_letters.drop(broker, None)) == 2
    assert await bodies(broker) == []


async def test_replayed_letters_are_due_again_every_copy_of_them(
    broker: str, channel: AbstractChannel
) -> None:
    known = await ids(broker)
    assert len(await dead_letters.replay(broker, {known[b"two"]})) == 2
    assert sorted(await bodies(broker)) == [b"one", b"three"]
    assert await waiting(channel, topology.DELIVERIES) == 2


@pytest.mark.parametrize("act", [dead_letters.drop, dead_letters.replay, dead_letters.choose])
async def test_with_one_unknown_id_nothing_happens(
    broker: str, channel: AbstractChannel, act: object
) -> None:
    known = await ids(broker)
    with pytest.raises(NoSuchDeadLetter, match="no dead letter ffff"):
        await act(broker, {known[b"one"], "ffff"})  # type: ignore[operator]
    assert sorted(await bodies(broker)) == sorted(BODIES)


async def command(broker: str, *words: str) -> Ended:
    settings = {
        "AMQP_URL": broker,
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none",
        "SMTP_URL": "smtp://127.0.0.1:9",
        "MAIL_FROM": "post@ledgerpost.example",
    }
    return await ended("services.mailer", "dead-letters", *words, settings=settings)


async def test_by_command(broker: str, channel: AbstractChannel) -> None:
    known = await ids(broker)
    dry = await command(broker, "replay", "--all", "--dry-run")
    assert dry.status == 0, dry.err
    lines = dry.out.splitlines()
    assert sorted(line.split()[0] for line in lines[:-1]) == sorted(
        [known[b"one"], known[b"two"], known[b"two"], known[b"three"]]
    )
    assert lines[-1] == "would replay 4"
    assert len(await bodies(broker)) == 4
    dropped = await command(broker, "drop", known[b"one"])
    assert (dropped.status, dropped.out) == (0, "dropped 1\n")
    unnamed = await command(broker, "drop")
    assert unnamed.status == 2
    replayed = await command(broker, "replay", "--all")
    assert replayed.out == "replayed 3\n"
    assert await waiting(channel, topology.DELIVERIES) == 3
    assert await bodies(broker) == []
    empty = await command(broker, "list")
    assert (empty.status, empty.out, empty.err) == (0, "", "there are no dead letters\n")
