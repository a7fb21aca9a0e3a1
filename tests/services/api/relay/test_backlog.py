"""The gauges of what waits, on a real Postgres and RabbitMQ."""

import math
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID, uuid4

import aio_pika
import asyncpg
import pytest
from prometheus_client import CollectorRegistry

from services.api.relay import backlog
from services.api.relay.backlog import Backlog
from services.api.relay.metrics import RelayMetrics
from shared.amqp import topology
from shared.amqp.publisher import Publisher
from shared.db import postgres
from tests.roles import acting

HOUR = timedelta(hours=1)


@dataclass
class World:
    db: asyncpg.Connection
    pool: asyncpg.Pool
    publisher: Publisher
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)

    def __post_init__(self) -> None:
        self.backlog = Backlog(self.pool, self.publisher, RelayMetrics(self.registry))

    async def mail(
        self,
        state: str = "scheduled",
        *,
        ago: timedelta = HOUR,
        due_in: timedelta | None = None,
        attempts: int = 0,
        reason_code: str | None = None,
        business: int = 1,
    ) -> UUID:
        """Store a mail whose send was due `ago`, and that is due again in `due_in`."""
        send, delivery = uuid4(), uuid4()
        await self.db.execute(
            "INSERT INTO sends VALUES ($1, $2, 4, '2024-11-01', '2024-11-30', NULL, false, '[]',"
            " now() - $3::interval, now() + interval '3 d', now())",
            send, business, ago,
        )  # fmt: skip
        await self.db.execute(
            "INSERT INTO deliveries (id, send_id, business_id, position, email, email_key, state,"
            " due_at, expires_at, attempts, reason_code, lease_until, created_at, updated_at)"
            " VALUES ($1, $2, $3, 1, 'a@x.example', 'a@x.example', $4, now() + $5::interval,"
            " now() + interval '3 d', $6, $7, now() + interval '1 min', now(), now())",
            delivery, send, business, state, -ago if due_in is None else due_in, attempts,
            reason_code,
        )  # fmt: skip
        return delivery

    async def figure(self, name: str, **labels: str) -> float | None:
        await self.backlog.step()
        return self.registry.get_sample_value(f"ledgerpost_{name}", labels)

    async def age(self) -> float:
        found = await self.figure("oldest_due_age_seconds")
        assert found is not None
        return found


@pytest.fixture
async def world(database: str, broker: str) -> AsyncIterator[World]:
    db, publisher = await asyncpg.connect(database), Publisher(broker, "test")
    async with postgres.pool(acting(database, "relay"), name="test", size=2) as pool:
        yield World(db, pool, publisher)
    await publisher.close()
    await db.close()


async def test_nothing_is_late_if_nothing_waits(world: World) -> None:
    assert await world.age() == 0
    await world.mail(ago=-HOUR)
    assert await world.age() == 0


async def test_a_mail_that_was_handed_back_is_late_since_its_send_was_due(world: World) -> None:
    soon = timedelta(seconds=5)
    await world.mail("deferred", due_in=soon, reason_code="smarthost_unreachable")
    assert 3600 <= await world.age() < 3700


async def test_a_mail_in_the_queue_is_late_until_a_mailer_has_it(world: World) -> None:
    mail = await world.mail("queued", ago=2 * HOUR)
    assert 7200 <= await world.age() < 7300
    await world.db.execute("UPDATE deliveries SET state = 'sending' WHERE id = $1", mail)
    assert await world.age() == 0


async def test_a_retry_and_a_mail_that_a_rate_holds_back_wait_for_their_own_time(
    world: World,
) -> None:
    soon, past = timedelta(seconds=20), timedelta(minutes=-5)
    await world.mail("deferred", due_in=soon, attempts=2, reason_code="mailbox_full")
    await world.mail("deferred", due_in=soon, reason_code="rate_limited")
    assert await world.age() == 0
    await world.mail("deferred", due_in=past, attempts=1, reason_code="mailbox_full")
    assert 300 <= await world.age() < 400


async def test_a_paused_mail_is_held_and_not_late(world: World) -> None:
    await world.mail(business=2)
    await world.db.execute("INSERT INTO pauses (business_id) VALUES (2)")
    assert await world.age() == 0
    assert await world.figure("deliveries", stage="held") == 1
    assert await world.figure("deliveries", stage="due") == 0
    await world.mail(ago=timedelta(minutes=1))
    assert 60 <= await world.age() < 160
    await world.db.execute("INSERT INTO pauses (business_id) VALUES (NULL)")
    assert await world.age() == 0


async def test_many_paused_mails_hide_no_late_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backlog, "_CONSIDERED", 2)
    for _ in range(12):
        await world.mail(ago=2 * HOUR, business=2)
    await world.db.execute("INSERT INTO pauses (business_id) VALUES (2)")
    await world.mail()
    assert 3600 <= await world.age() < 3700
    assert await world.figure("deliveries", stage="held") == 12
    assert await world.figure("deliveries", stage="due") == 1


async def test_a_large_backlog_is_not_counted_whole(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backlog, "_COUNTED", 3)
    for business in (1, 2):
        for _ in range(5):
            await world.mail(business=business)
    assert await world.figure("deliveries", stage="due") == 3
    await world.db.execute("INSERT INTO pauses (business_id) VALUES (1), (2)")
    assert await world.figure("deliveries", stage="held") == 3


async def test_every_open_mail_is_in_one_stage(world: World) -> None:
    for state in ("queued", "sending", "committing", "in_doubt"):
        await world.mail(state)
    await world.mail()
    await world.mail("deferred", due_in=HOUR)
    shown = {
        stage: await world.figure("deliveries", stage=stage)
        for stage in ("scheduled", "due", "held", "queued", "sending", "in_doubt")
    }
    assert shown == {
        "scheduled": 1, "due": 1, "held": 0, "queued": 1, "sending": 2, "in_doubt": 1,
    }  # fmt: skip


async def test_queues_are_counted(world: World, broker: str) -> None:
    assert await world.figure("queue_messages", queue="dead_letters") == 0
    connection = await aio_pika.connect(broker)
    async with connection:
        channel = await connection.channel()
        await channel.default_exchange.publish(aio_pika.Message(b"{"), topology.DEAD_LETTERS)
    while await world.figure("queue_messages", queue="dead_letters") != 1:
        pass  # the message is on its way
    assert await world.figure("queue_messages", queue="deliveries") == 0


async def test_the_oldest_event_that_waits_is_shown(world: World) -> None:
    assert await world.figure("oldest_event_age_seconds") == 0
    await world.mail()  # a trigger writes the event
    await world.db.execute("UPDATE delivery_events SET occurred_at = now() - interval '1 min'")
    found = await world.figure("oldest_event_age_seconds")
    assert found is not None
    assert 60 <= found < 160


async def test_what_cannot_be_read_is_not_shown_as_it_was(world: World) -> None:
    await world.mail()
    assert await world.age() > 0
    await world.db.execute("ALTER TABLE pauses RENAME TO hidden")
    with pytest.raises(asyncpg.UndefinedTableError):
        await world.backlog.step()
    for name, labels in (
        ("oldest_due_age_seconds", {}),
        ("deliveries", {"stage": "in_doubt"}),
        ("queue_messages", {"queue": "dead_letters"}),
    ):
        value = world.registry.get_sample_value(f"ledgerpost_{name}", labels)
        assert value is not None
        assert math.isnan(value)
