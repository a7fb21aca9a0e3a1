"""Every message that Ledgerpost consumes, with names of another business."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import aio_pika
import aiohttp
import asyncpg
import pytest

from services.api.access.admission import Admission
from services.api.intake import act
from shared.amqp import topology
from shared.messages import SendTransactions, Wakeup
from tests.contract import rows
from tests.contract.tenants import Tenant, asked_by, settle, terms
from tests.journeys.conftest import System, soon
from tests.judge.server import Judge

WORDS = {1: "qzalpha", 2: "qzbravo"}


@pytest.fixture
async def tenants(database: str) -> AsyncIterator[tuple[asyncpg.Connection, list[Tenant]]]:
    db = await asyncpg.connect(database)
    yield db, [await settle(db, number, word) for number, word in WORDS.items()]
    await db.close()


async def test_a_request_over_the_queue_is_about_the_business_of_its_key(
    tenants: tuple[asyncpg.Connection, list[Tenant]],
) -> None:
    db, (caller, other) = tenants
    before = await rows.dump(db, other.id)
    key = {"idempotencykey": other.idempotency_key}
    shown: dict[str, Any] = {}
    for name, data, extra in (
        ("event of the other's source and id", {}, {}),
        ("the other's Idempotency-Key", {}, {"id": "2"} | key),
        ("whom the other no longer mails", {"other_emails": "only2@x.example"}, {"id": "3"}),
        ("the other's customer", {"customer_id": other.own_customer}, {"id": "4"}),
        ("nobody's customer", {"customer_id": 9000}, {"id": "4"}),
    ):  # fmt: skip
        asked = asked_by(caller, **data)
        changed = json.dumps(json.loads(asked.body) | extra).encode()
        changed_asked = act.Asked(changed, asked.authorization)
        answer = await act.answer(db, changed_asked, terms(), Admission(6000))
        shown[name] = answer.problem and answer.problem.detail
        assert answer.business_id == caller.id
        assert not [secret for secret in other.secrets if secret in answer.event], name
    assert list(shown.values()) == [None, None, None, *["There is no such customer."] * 2]
    assert await rows.dump(db, other.id) == before


async def test_a_wake_up_moves_nothing_that_is_not_queued(
    tenants: tuple[asyncpg.Connection, list[Tenant]], database: str, broker: str
) -> None:
    """If a client sends a wake-up for each delivery, only mails that the relay queued go out."""
    db, (first, second) = tenants
    async with Judge() as judge, aiohttp.ClientSession() as http:
        await _wake_all(System(database, broker, judge, http, db), first, second)


async def _wake_all(system: System, first: Tenant, second: Tenant) -> None:
    db = system.db
    named = [*first.deliveries.values(), *second.deliveries.values(), *first.sends.values()]
    before = [await rows.dump(db, each.id) for each in (first, second)]
    connection = await aio_pika.connect(system.amqp)
    async with connection, system.mailer():
        channel = await connection.channel()
        await topology.declare(channel)
        for id_ in named:
            event = SendTransactions(
                id=str(id_), time=datetime.now(UTC), data=Wakeup(delivery_id=id_)
            )
            await channel.default_exchange.publish(
                aio_pika.Message(event.model_dump_json().encode()), topology.DELIVERIES
            )

        async def consumed() -> bool:
            queue = await channel.declare_queue(topology.DELIVERIES, passive=True)
            state = queue.declaration_result
            return state.message_count == 0 and state.consumer_count == 1

        await soon(consumed)
    assert system.judge.accepted == []
    assert [await rows.dump(db, each.id) for each in (first, second)] == before
