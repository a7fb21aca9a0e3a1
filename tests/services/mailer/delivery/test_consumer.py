"""Messages while servers are unavailable, on a real RabbitMQ."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import aio_pika
import asyncpg
import pytest
from aio_pika.abc import AbstractChannel

from services.mailer.app import AHEAD, PREFETCH
from services.mailer.delivery import consumer as module
from services.mailer.delivery.consumer import Consumer
from shared.amqp import subscription, topology
from shared.amqp.breaker import Breaker
from shared.process.health import Health
from tests.faults.proxy import Proxy
from tests.faults.queue import wakeup

_MORE_THAN_AIORMQ_BUFFERS = 40


@pytest.fixture
async def channel(broker: str) -> AsyncIterator[AbstractChannel]:
    connection = await aio_pika.connect(broker)
    async with connection:
        opened = await connection.channel()
        await topology.declare(opened)
        yield opened


@asynccontextmanager
async def consuming(
    broker: str, deliver: Callable[[UUID], Awaitable[None]], places: int = 5
) -> AsyncIterator[asyncio.Event]:
    async def probe() -> None:
        pass

    stop, breaker = asyncio.Event(), Breaker("smarthost", probe, ConnectionError)
    consumer = Consumer(broker, places, deliver, breaker, Health())
    running = asyncio.create_task(consumer.run(stop))
    try:
        yield stop
    finally:
        stop.set()
        async with asyncio.timeout(180):
            await running


async def publish(channel: AbstractChannel, business: int = 1) -> UUID:
    delivery = uuid4()
    exchange = await channel.get_exchange(topology.DELIVERIES)
    await exchange.publish(aio_pika.Message(wakeup(str(delivery), business)), topology.DELIVERIES)
    return delivery


async def waiting(channel: AbstractChannel, name: str = topology.DELIVERIES) -> int:
    queue = await channel.declare_queue(name, passive=True)
    return int(queue.declaration_result.message_count or 0)


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(180):
        while not await holds():
            await asyncio.sleep(0.02)


async def test_a_message_held_while_postgres_is_away_is_left_to_others_by_who_stops(
    broker: str, channel: AbstractChannel
) -> None:
    asked: list[UUID] = []

    async def deliver(delivery: UUID) -> None:
        asked.append(delivery)
        raise ConnectionRefusedError("postgres is away")

    async def is_asked() -> bool:
        return bool(asked)

    async def is_back() -> bool:
        return await waiting(channel) == 1

    delivery = await publish(channel)
    async with consuming(broker, deliver):
        await until(is_asked)
    assert set(asked) == {delivery}
    await until(is_back)
    assert await waiting(channel, topology.DEAD_LETTERS) == 0


@pytest.mark.parametrize(
    "error",
    [
        ConnectionRefusedError("postgres is away"),
        asyncpg.DeadlockDetectedError("deadlock detected"),
        asyncpg.SerializationError("could not serialize access"),
    ],
)
async def test_a_message_is_tried_again_while_postgres_is_away_or_transactions_conflict(
    broker: str, channel: AbstractChannel, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(module, "_RETRY_S", 0.01)
    asked: list[UUID] = []

    async def deliver(delivery: UUID) -> None:
        asked.append(delivery)
        if len(asked) < 4:
            raise error

    async def is_settled() -> bool:
        return len(asked) == 4 or await waiting(channel, topology.DEAD_LETTERS) > 0

    delivery = await publish(channel)
    async with consuming(broker, deliver):
        await until(is_settled)
    assert asked == [delivery] * 4
    assert await waiting(channel) == 0


async def test_a_broker_that_falls_silent_keeps_nobody_from_stopping(
    broker: str, channel: AbstractChannel
) -> None:
    handled: list[UUID] = []
    hold = asyncio.Event()

    async def deliver(delivery: UUID) -> None:
        handled.append(delivery)
        await hold.wait()

    async def is_at_work() -> bool:
        return bool(handled)

    await publish(channel)
    async with Proxy(broker) as proxy, consuming(proxy.url, deliver) as stop:
        await until(is_at_work)
        proxy.black_hole()
        stop.set()
        await asyncio.sleep(0.1)
        hold.set()  # what is at work is finished first


async def test_a_connection_that_dies_while_many_are_settled_keeps_nobody_from_stopping(
    broker: str, channel: AbstractChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscription, "_CLOSE_S", 0.5)
    handled: list[UUID] = []
    hold = asyncio.Event()

    async def deliver(delivery: UUID) -> None:
        handled.append(delivery)
        await hold.wait()

    async def are_at_work() -> bool:
        return len(handled) == _MORE_THAN_AIORMQ_BUFFERS

    for _ in range(_MORE_THAN_AIORMQ_BUFFERS):
        await publish(channel)
    async with (
        Proxy(broker) as proxy,
        consuming(proxy.url, deliver, _MORE_THAN_AIORMQ_BUFFERS) as stop,
    ):
        await until(are_at_work)
        proxy.drop()
        for _ in range(8):  # until aiormq has stopped writing, and does not yet refuse to
            await asyncio.sleep(0)
        hold.set()
        stop.set()


async def test_a_message_that_cannot_be_handled_dies_and_the_next_is_handled(
    broker: str, channel: AbstractChannel
) -> None:
    handled: list[UUID] = []
    first = await publish(channel)
    second = await publish(channel)

    async def deliver(delivery: UUID) -> None:
        if delivery == first:
            raise ZeroDivisionError("of one bad row")
        handled.append(delivery)

    async def is_dead() -> bool:
        return await waiting(channel, topology.DEAD_LETTERS) == 1 and bool(handled)

    async with consuming(broker, deliver):
        await until(is_dead)
    assert handled == [second]
    assert await waiting(channel) == 0


async def test_a_mail_of_another_business_is_next_however_many_came_before(
    broker: str, channel: AbstractChannel
) -> None:
    begun: list[UUID] = []
    hold = asyncio.Semaphore(0)

    async def deliver(delivery: UUID) -> None:
        begun.append(delivery)
        await hold.acquire()

    async def are_at_work() -> bool:
        return len(begun) == 2

    async def has_come() -> bool:
        return await waiting(channel) == 0

    async def have_begun() -> bool:
        return len(begun) == 5

    async with consuming(broker, deliver, places=2):
        first = [await publish(channel, business=1) for _ in range(4)]
        await until(are_at_work)
        other = await publish(channel, business=2)
        await until(has_come)
        await asyncio.sleep(0.1)
        for _ in range(5):
            hold.release()
        await until(have_begun)
    assert begun[:3] == [*first[:2], other]
    assert sorted(begun) == sorted([*first, other])


async def test_who_stops_leaves_what_waits_for_its_turn_to_others_at_once(
    broker: str, channel: AbstractChannel
) -> None:
    begun: list[UUID] = []
    hold = asyncio.Event()

    async def deliver(delivery: UUID) -> None:
        begun.append(delivery)
        await hold.wait()

    async def is_at_work() -> bool:
        return bool(begun)

    async def are_back() -> bool:
        return await waiting(channel) == 2

    for _ in range(3):
        await publish(channel)
    async with consuming(broker, deliver, places=1) as stop:
        await until(is_at_work)
        stop.set()
        await until(are_back)  # though the first is still in progress
        hold.set()
    assert len(begun) == 1


async def test_a_mailer_takes_as_many_messages_as_its_installation_is_told(
    broker: str, channel: AbstractChannel
) -> None:
    hold = asyncio.Event()

    async def deliver(delivery: UUID) -> None:
        await hold.wait()

    async def are_taken() -> bool:
        return await waiting(channel) <= 2

    for _ in range(PREFETCH + 2):
        await publish(channel)
    async with consuming(broker, deliver, places=AHEAD):
        await until(are_taken)
        await asyncio.sleep(0.1)
        assert await waiting(channel) == 2
        hold.set()
