"""Every message that Ledgerpost consumes, with names of another business."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import aio_pika
import aiohttp
import asyncpg
import pytest

from services.api.access.admission import Admission
from services.api.batches import frozen_lists
from services.api.batches.request import BatchBody, BatchRequest
from services.api.intake import act
from shared.amqp import topology
from shared.messages import SendTransactions, Wakeup
from tests.contract import rows
from tests.contract.tenants import PERIOD, Tenant, asked_by, settle, terms
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


async def test_a_request_for_a_batch_is_about_the_business_of_its_key(
    tenants: tuple[asyncpg.Connection, list[Tenant]],
) -> None:
    db, (caller, other) = tenants
    theirs = await frozen_list(db, other)
    made = await act.answer(db, batch_asked_by(other, {}), terms(), Admission(6000))
    assert made.batch_id is not None
    before = await rows.dump(db, other.id)
    key = {"id": "2", "idempotencykey": other.idempotency_key}
    nobody = ["filter: selects no customer"]
    gone = ["There is no such frozen list; it may have been used, or have expired."]
    for name, data, extra, expected in (
        ("event of the other's source and id", {}, {}, []),
        ("the other's Idempotency-Key", {}, key, []),
        ("the other's customer", {"filter": {"id": other.own_customer}}, {"id": "3"}, nobody),
        ("nobody's customer", {"filter": {"id": 9000}}, {"id": "3"}, nobody),
        ("a word of the other", {"filter": {"q": other.word}}, {"id": "3"}, nobody),
        ("the other's frozen list", {"frozen_list": theirs}, {"id": "3"}, gone),
        ("nobody's frozen list", {"frozen_list": str(uuid4())}, {"id": "3"}, gone),
        ("the other's batch", {"frozen_list": str(other.batches[0])}, {"id": "3"}, gone),
    ):  # fmt: skip
        asked = batch_asked_by(caller, data, **extra)
        answer = await act.answer(db, asked, terms(), Admission(6000))
        assert ([] if answer.problem is None else [answer.problem.detail]) == expected, name
        assert answer.business_id == caller.id
        said = answer.event.replace(other.word, "") if other.word in str(data) else answer.event
        assert not [secret for secret in other.secrets if secret in said], name
        assert str(made.batch_id) not in said
    assert await rows.dump(db, other.id) == before


async def frozen_list(db: asyncpg.Connection, tenant: Tenant) -> str:
    """Store a frozen list of a business, as its dry run of the same request does."""
    asked = BatchRequest.of(PERIOD, BatchBody())
    made = await frozen_lists.create(db, tenant.id, asked, PERIOD)
    await frozen_lists.add(db, made.id, {tenant.own_customer: [f"{tenant.word}@x.example"]})
    return str(made.id)


def batch_asked_by(tenant: Tenant, data: dict[str, Any], **extra: str) -> act.Asked:
    """Return a request for a batch; all businesses use the same `source` and `id`."""
    given = {"from": str(PERIOD.start), "to": str(PERIOD.end), **data}
    event = {"specversion": "1.0", "id": "batch", "source": "/crm", "data": given} | {
        "type": "com.ledgerpost.batch-request.v1"
    }
    return act.Asked(json.dumps(event | extra).encode(), [f"Bearer {tenant.key}"])


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
