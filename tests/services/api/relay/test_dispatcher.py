"""From due rows to RabbitMQ, and again after the broker lost them, on real servers."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import aio_pika
import asyncpg
import pytest
from aio_pika.abc import AbstractChannel
from prometheus_client import CollectorRegistry, Counter

from services.api.ledger.imports import import_directory
from services.api.relay import freezer, hung_sessions, room
from services.api.relay.dispatcher import Dispatcher
from services.api.relay.freezer import Freezer
from services.api.relay.sweeper import Sweeper
from services.api.statements import store as statements
from shared.amqp import topology
from shared.amqp.publisher import Publisher
from shared.db import postgres
from shared.messages import SendTransactions, Wakeup
from tests.roles import acting

_GOLDEN = Path(__file__).parents[3] / "fixtures" / "golden"
# A statement of the same words as the slow one would wait for that.
OTHER = 5
_PATIENCE, _INTERVAL = timedelta(hours=1), timedelta(minutes=7)


@dataclass
class Relay:
    """Both of its loops on one connection to RabbitMQ, stepped by the test."""

    dispatcher: Dispatcher
    sweeper: Sweeper
    conn: asyncpg.Connection
    channel: AbstractChannel

    async def submit(
        self, recipients: int, *, frozen: bool = True, customer: int = 4, business: int = 1
    ) -> UUID:
        """Store a send that is due."""
        send = uuid4()
        digest = await self.conn.fetchval(
            "INSERT INTO statements VALUES ($1, sha256('{}'), '{}')"
            " ON CONFLICT (business_id, sha256) DO UPDATE SET content = '{}' RETURNING sha256",
            business,
        )
        await self.conn.execute(
            "INSERT INTO sends VALUES ($1, $4, $3, '2024-11-01', '2024-11-30', NULL, false, '[]',"
            " now(), now() + interval '3 days', now(), $2)",
            send,
            digest if frozen else None,
            customer,
            business,
        )
        await self.conn.execute(
            "INSERT INTO deliveries (id, send_id, business_id, position, email, email_key, due_at,"
            " expires_at, created_at, updated_at) SELECT gen_random_uuid(), $1, $3, n,"
            " 'r' || n || '@x.com', 'r' || n || '@x.com', now() - interval '1 second',"
            " now() + interval '3 days', now(), now() FROM generate_series(1, $2::int) AS n",
            send,
            recipients,
            business,
        )
        return send

    async def states(self, send: UUID) -> list[tuple[str, int]]:
        rows = await self.conn.fetch(
            "SELECT state, count(*)::int FROM deliveries WHERE send_id = $1 GROUP BY 1", send
        )
        return [tuple(row) for row in rows]

    async def until(self, send: UUID, states: list[tuple[str, int]]) -> None:
        """Step until a send's rows are in these states; the test's own timeout ends it."""
        while await self.states(send) != states:
            await self.dispatcher.step()
            await asyncio.sleep(0.05)

    async def waiting(self) -> int:
        queue = await self.channel.declare_queue(topology.DELIVERIES, passive=True)
        return int(queue.declaration_result.message_count or 0)

    async def lapse(self) -> None:
        await self.conn.execute("UPDATE deliveries SET lease_until = now() - interval '1 second'")


@pytest.fixture
async def relay(database: str, broker: str) -> AsyncIterator[Relay]:
    publisher = Publisher(broker, "test")
    conn, connection = await asyncpg.connect(database), await aio_pika.connect(broker)
    await import_directory(database, _GOLDEN)
    async with connection, postgres.pool(acting(database, "relay"), name="test", size=8) as pool:
        channel = await connection.channel()
        await topology.declare(channel)
        counter = Counter("published", "Messages", registry=CollectorRegistry())
        freezes = Freezer(pool)
        dispatcher = Dispatcher(
            pool, freezes, publisher, counter, poll=timedelta(seconds=1), patience=_PATIENCE
        )
        sweeper = Sweeper(
            pool,
            publisher,
            dispatcher,
            interval=_INTERVAL,
            patience=_PATIENCE,
            resend_after=None,
        )
        yield Relay(dispatcher, sweeper, conn, channel)
        await freezes.close()
    await publisher.close()
    await conn.close()


async def test_a_wiped_queue_is_refilled_batch_after_batch_at_once(
    relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "LEAST", 1200)
    relay.dispatcher._room.rows = 1200
    for _ in range(3):
        await relay.submit(400)
    for _ in range(2):
        await relay.dispatcher.step()
    assert await relay.waiting() == 1200
    await (await relay.channel.get_queue(topology.DELIVERIES)).purge()
    await relay.lapse()
    # With the first batch the queue is no longer empty, and that must not end the refill.
    assert [await relay.sweeper.step() for _ in range(3)] == [
        timedelta(0),
        timedelta(0),
        _INTERVAL,
    ]
    assert await relay.waiting() == 1200


async def test_a_wake_up_names_the_business_for_its_turn_in_the_mailer(relay: Relay) -> None:
    send = await relay.submit(1, business=2)
    await relay.dispatcher.step()
    message = await (await relay.channel.get_queue(topology.DELIVERIES)).get()
    delivery = await relay.conn.fetchval("SELECT id FROM deliveries WHERE send_id = $1", send)
    event = SendTransactions.model_validate_json(message.body)
    assert event.data == Wakeup(delivery_id=delivery, business_id=2)


async def test_mails_that_expired_wait_for_no_room(relay: Relay) -> None:
    send = await relay.submit(3 * room.LEAST)
    await relay.conn.execute("UPDATE deliveries SET expires_at = now()")
    later = await relay.submit(1)
    for _ in range(3):
        assert await relay.dispatcher.step() == timedelta(0)
    assert await relay.states(send) == [("expired", 3 * room.LEAST)]
    await relay.dispatcher.step()
    assert await relay.states(later) == [("queued", 1)]


async def test_a_row_that_somebody_holds_is_not_asked_for_all_the_time(
    relay: Relay, database: str
) -> None:
    send = await relay.submit(1)
    other = await asyncpg.connect(database)
    try:
        async with other.transaction():
            await other.execute("SELECT FROM deliveries FOR UPDATE")
            assert await relay.dispatcher.step() == timedelta(seconds=room.REFILL)
    finally:
        await other.close()
    await relay.dispatcher.step()
    assert await relay.states(send) == [("queued", 1)]


async def test_a_queue_that_holds_messages_is_not_refilled(relay: Relay) -> None:
    await relay.submit(3)
    await relay.dispatcher.step()
    await relay.lapse()
    assert await relay.sweeper.step() == _INTERVAL
    assert await relay.waiting() == 3


async def test_what_no_queue_takes_is_published_once_the_queue_is_back(relay: Relay) -> None:
    await relay.submit(5)
    await relay.dispatcher.step()
    await relay.channel.queue_delete(topology.DELIVERIES)
    send = await relay.submit(500)
    relay.dispatcher._room.rows = 505
    await relay.dispatcher.step()
    unconfirmed = "SELECT count(*) FROM deliveries WHERE send_id = $1 AND published_at IS NULL"
    assert await relay.conn.fetchval(unconfirmed, send) == 500
    # What went unconfirmed is due for the next sweep, whatever the patience, and declared anew.
    assert await relay.sweeper.step() == timedelta(0)
    assert await relay.waiting() == 500
    assert await relay.conn.fetchval(unconfirmed, send) == 0


async def test_a_broker_that_confirms_nothing_is_left_in_peace_until_the_next_sweep(
    relay: Relay,
) -> None:
    relay.dispatcher._room.rows = 500
    await relay.submit(500)
    queue = await relay.channel.get_queue(topology.DELIVERIES)
    await relay.dispatcher.step()
    await queue.unbind(topology.DELIVERIES, topology.DELIVERIES)
    await relay.conn.execute("UPDATE deliveries SET published_at = NULL")
    await relay.lapse()
    assert await relay.sweeper.step() == _INTERVAL


async def test_a_statement_that_takes_too_long_holds_up_no_other(
    relay: Relay, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statements, "_FREEZE_S_MAX", 0.5)
    monkeypatch.setattr(freezer, "_STEP_WAIT_S", 5.0)
    slow = await relay.submit(2, frozen=False)
    quick = await relay.submit(2, frozen=False, customer=OTHER)
    holder = await asyncpg.connect(database)
    try:
        async with holder.transaction():
            await holder.execute("SELECT FROM sends WHERE id = $1 FOR UPDATE", slow)
            await relay.dispatcher.step()
            assert await relay.states(quick) == [("queued", 2)]
            assert await relay.states(slow) == [("deferred", 2)]
    finally:
        await holder.close()
    reasons = await relay.conn.fetch(
        "SELECT DISTINCT reason FROM deliveries WHERE send_id = $1", slow
    )
    assert [row["reason"] for row in reasons] == ["the statement could not be made: TimeoutError"]
    await relay.conn.execute("UPDATE deliveries SET due_at = now() WHERE state = 'deferred'")
    await relay.dispatcher.step()
    assert await relay.states(slow) == [("queued", 2)]


async def test_a_slow_statement_goes_on_beside_the_next_steps(
    relay: Relay, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(freezer, "_STEP_WAIT_S", 0.1)
    slow = await relay.submit(2, frozen=False)
    holder = await asyncpg.connect(database)
    try:
        async with holder.transaction():
            await holder.execute("SELECT FROM sends WHERE id = $1 FOR UPDATE", slow)
            await relay.dispatcher.step()
            quick = await relay.submit(2, frozen=False, customer=OTHER)
            await relay.until(quick, [("queued", 2)])
            assert await relay.states(slow) == [("scheduled", 2)]
    finally:
        await holder.close()
    await relay.until(slow, [("queued", 2)])
    frozen = "SELECT statement_sha256 IS NOT NULL FROM sends WHERE id = $1"
    assert await relay.conn.fetchval(frozen, slow)


async def test_statements_of_one_business_never_take_all_lanes(
    relay: Relay, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether its statements are slow or many: another business's is frozen beside them."""
    monkeypatch.setattr(freezer, "_STEP_WAIT_S", 0.1)
    slow = [await relay.submit(1, frozen=False, customer=OTHER) for _ in range(12)]
    holder = await asyncpg.connect(database)
    try:
        async with holder.transaction():
            await holder.execute("SELECT FROM sends WHERE id = ANY($1) FOR UPDATE", slow)
            await relay.dispatcher.step()
            for _ in range(2):
                other = await relay.submit(2, frozen=False, business=2)
                await relay.until(other, [("queued", 2)])
            assert [await relay.states(send) for send in slow] == [[("scheduled", 1)]] * 12
    finally:
        await holder.close()
    for send in slow:
        await relay.until(send, [("queued", 1)])


async def test_the_sweeper_ends_the_session_of_a_relay_that_hangs(
    relay: Relay, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hung_sessions, "HUNG_AFTER", timedelta(0))
    async with postgres.pool(acting(database, "relay"), name="test", size=1) as pool:
        hung = await pool.acquire()
        await hung.execute("BEGIN")
        await hung.execute("SELECT pg_advisory_xact_lock(282946740)")
        await hung.prepare("SELECT 1")
        async with asyncio.timeout(180):
            while not await relay.conn.fetchval("SELECT pg_try_advisory_lock(282946740)"):
                await relay.sweeper.step()
