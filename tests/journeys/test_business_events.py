"""Events of batches and schedules: in order, at least once, and only for those who ask for them."""

from uuid import UUID, uuid4

import asyncpg
import pytest

from services.api.batches.model import Phase
from services.api.relay import business_events
from services.api.schedules.messages import Change
from shared.amqp import topology
from shared.amqp.publisher import Publisher
from tests.journeys.conftest import System, soon
from tests.peer import Peer

SCHEDULE = UUID("019b8d2c-0e6a-7c31-9c55-1f1de3a7b001")
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def batch(db: asyncpg.Connection, *phases: str, business: int = 1) -> UUID:
    """Store a batch that goes through these phases, each in a transaction of its own."""
    made = uuid4()
    await db.execute(
        "INSERT INTO batches (id, business_id, phase, date_from, date_to, schedule_id, occurrence,"
        " send_at, expires_at, created_at, updated_at, customers, traceparent)"
        " VALUES ($1, $2, $3, '2024-11-01', '2024-11-30', $4, '2024-12-01', now(),"
        " now() + interval '1 h', now(), now(), 4, $5)",
        made,
        business,
        phases[0],
        uuid4(),
        TRACE,
    )
    for phase in phases[1:]:
        await db.execute("UPDATE batches SET phase = $2 WHERE id = $1", made, phase)
    return made


async def happened(db: asyncpg.Connection, *changes: str, business: int = 1) -> None:
    for change in changes:
        await db.execute(
            "INSERT INTO business_events (business_id, type, schedule_id, occurrence)"
            " VALUES ($1, 'schedule.' || $2, $3, '2024-12-01')",
            business,
            change,
            SCHEDULE,
        )


async def test_subscribers_hear_of_each_batch_in_the_order_of_its_phases(
    system: System, asker: Peer
) -> None:
    phases = ["scheduled", "expanding", "sending", "done"]
    made = [await batch(system.db, *phases) for _ in range(3)]
    foreign = await batch(system.db, "expanding", business=2)
    async with system.relay():
        keys = [f"batch.{phase}.1" for phase in phases]
        heard = await asker.events(*keys, number=12)
        [other] = await asker.events("batch.expanding.2")
    for id_ in made:
        own = [each for each in heard if each["subject"] == str(id_)]
        assert [each["type"] for each in own] == [
            f"com.ledgerpost.batch.{phase}.v1" for phase in phases
        ]
        assert [each["data"]["status"] for each in own] == phases
        sequences = [each["data"]["sequence"] for each in own]
        assert sequences == sorted(sequences)
        assert own[0]["id"] == f"{id_}.{sequences[0]}"
        assert {each["traceparent"] for each in own} == {TRACE}
        assert {(each["data"]["from"], each["data"]["to"]) for each in own} == {
            ("2024-11-01", "2024-11-30")
        }
        assert {each["data"]["occurrence"] for each in own} == {"2024-12-01"}
        assert {each["data"]["customers"] for each in own} == {4}
    assert (other["subject"], other["data"]["business_id"]) == (str(foreign), 2)


async def test_the_last_event_of_a_batch_counts_its_mails_and_its_skipped_customers(
    system: System, asker: Peer
) -> None:
    sends = [(await system.send())["id"] for _ in range(2)]
    made = await batch(system.db, "expanding", "sending")
    await system.db.execute("UPDATE deliveries SET batch_id = $1", made)
    await system.db.execute(
        "INSERT INTO batch_customers (batch_id, customer_id, reason, reason_code)"
        " SELECT $1, n, 'empty', CASE WHEN n < 3 THEN 'statement_empty' ELSE 'no_address' END"
        " FROM generate_series(1, 3) n",
        made,
    )
    await system.db.execute(
        "UPDATE deliveries SET state = 'failed' WHERE send_id = $1", UUID(sends[0])
    )
    await system.db.execute(
        "UPDATE deliveries SET state = 'committing', lease_until = now() + interval '1 h'"
        " WHERE send_id = $1",
        UUID(sends[1]),
    )
    await system.db.execute("UPDATE batches SET phase = 'cancelled' WHERE id = $1", made)
    async with system.relay():
        [ended] = await asker.events("batch.cancelled.1")
        [sending] = await asker.events("batch.sending.1")
    # `committing` is shown as `sending`.
    assert ended["data"]["counts"] == {"failed": 1, "sending": 1}
    assert ended["data"]["skipped"] == {"statement_empty": 2, "no_address": 1}
    assert (sending["data"]["counts"], sending["data"]["skipped"]) == (None, None)


async def test_a_batch_without_mails_counts_none(system: System, asker: Peer) -> None:
    await batch(system.db, "expanding", "done")
    async with system.relay():
        [ended] = await asker.events("batch.done.1")
    assert (ended["data"]["counts"], ended["data"]["skipped"]) == ({}, {})


async def test_what_happens_to_a_schedule_is_told_with_its_occurrence(
    system: System, asker: Peer
) -> None:
    await happened(system.db, *Change)
    async with system.relay():
        heard = await asker.events(*(f"schedule.{each}.1" for each in Change), number=len(Change))
    assert [each["data"]["change"] for each in heard] == list(Change)
    assert {each["data"]["schedule_id"] for each in heard} == {str(SCHEDULE)}
    assert {each["data"]["occurrence"] for each in heard} == {"2024-12-01"}
    assert heard[0]["type"] == "com.ledgerpost.schedule.created.v1"


async def test_who_hears_of_mails_only_hears_of_nothing_new(system: System, asker: Peer) -> None:
    mails = await asker.channel.declare_queue(exclusive=True)
    await mails.bind(topology.EVENTS, "delivery.#")
    await batch(system.db, "expanding", "done")
    await happened(system.db, "created")
    async with system.relay():
        await system.send()
        await asker.events("batch.done.1")
        await asker.events("schedule.created.1")
        await asker.events("delivery.queued.1")
    found = []
    while (message := await mails.get(fail=False)) is not None:
        found.append(message.routing_key)
    assert found == ["delivery.scheduled.1", "delivery.queued.1"]


async def test_what_was_confirmed_and_not_recorded_is_told_again_with_the_same_id(
    system: System, asker: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a kill between the confirm and its record."""

    async def dies(*_: object) -> None:
        raise ConnectionError

    await batch(system.db, "expanding", "done")
    with monkeypatch.context() as patch:
        patch.setattr(business_events, "mark_published", dies)
        async with system.relay():
            [first] = await asker.events("batch.done.1")
    async with system.relay():
        [_, *again] = await asker.events("batch.done.1", number=2)

        async def recorded() -> bool:
            left = "SELECT count(*) FROM business_events WHERE published_at IS NULL"
            return bool(await system.db.fetchval(left) == 0)

        await soon(recorded)
    assert again[0] == first


async def test_events_wait_for_the_broker_and_keep_their_order(
    system: System, asker: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish = Publisher.publish
    failures = 0

    async def fails_first(self: Publisher, messages: list[object]) -> list[bool]:
        nonlocal failures
        if messages and failures < 2:
            failures += 1
            raise ConnectionError
        return await publish(self, messages)  # type: ignore[arg-type]

    monkeypatch.setattr(Publisher, "publish", fails_first)
    await batch(system.db, "scheduled", "expanding", "sending", "done")
    async with system.relay():
        phases = ("scheduled", "expanding", "sending", "done")
        heard = await asker.events(*(f"batch.{phase}.1" for phase in phases), number=4)
    assert [each["data"]["status"] for each in heard] == list(phases)


async def test_the_database_takes_the_types_that_the_events_have_and_no_other(
    system: System,
) -> None:
    for phase in Phase:
        await batch(system.db, phase)
    await happened(system.db, *Change)
    with pytest.raises(asyncpg.CheckViolationError, match="type_is_known"):
        await happened(system.db, "forgotten")
