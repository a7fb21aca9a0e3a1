"""Due rows enter the queue by turns among businesses, however many rows one has waiting."""

import asyncio
from collections import Counter
from uuid import UUID

import asyncpg

from shared.deliveries import relay, worker
from tests.shared.deliveries.conftest import LEASE, submit

_ROOM = 20


async def _submit(conn: asyncpg.Connection, business: int, number: int, due: str = "-1 s") -> None:
    await submit(conn, [f"r{n}@x.example" for n in range(number)], due, business=business)


async def _owners(conn: asyncpg.Connection, ids: list[UUID]) -> list[int]:
    rows = dict(await conn.fetch("SELECT id, business_id FROM deliveries"))
    return [rows[delivery] for delivery in ids]


async def test_a_business_that_comes_late_waits_behind_few(conn: asyncpg.Connection) -> None:
    await _submit(conn, 1, 700, "-1 hour")
    first = await relay.enqueue(conn, _ROOM, LEASE)
    assert (len(first.queued), first.before, first.is_full) == (_ROOM, 0, True)
    await _submit(conn, 2, 1)
    second = await relay.enqueue(conn, _ROOM, LEASE)
    assert await _owners(conn, second.queued) == [2]
    assert (second.before, second.is_full) == (_ROOM, True)


async def test_businesses_have_equal_parts_and_take_turns(conn: asyncpg.Connection) -> None:
    for business, number in ((1, 700), (2, 3), (3, 700), (4, 700)):
        await _submit(conn, business, number, f"-{5 - business} hours")
    queued = await _owners(conn, (await relay.enqueue(conn, _ROOM, LEASE)).queued)
    assert Counter(queued) == {1: 5, 2: 3, 3: 5, 4: 5}
    assert [set(queued[n : n + 4]) for n in (0, 4, 8)] == [{1, 2, 3, 4}] * 3


async def test_a_business_alone_has_all_the_room(conn: asyncpg.Connection) -> None:
    await _submit(conn, 1, 600)
    batch = await relay.enqueue(conn, 500, LEASE)
    assert len(batch.queued) == 500
    claims = await worker.claim(conn, batch.queued[:400], LEASE)
    assert len(claims) == 400
    again = await relay.enqueue(conn, 500, LEASE)
    assert (again.before, len(again.queued), again.is_full) == (100, 100, False)


async def test_each_of_very_many_businesses_has_a_turn(conn: asyncpg.Connection) -> None:
    await _submit(conn, 1, 600, "-2 hours")
    for business in range(2, 60):
        await _submit(conn, business, 2, "-1 hour")
    queued = await _owners(conn, (await relay.enqueue(conn, _ROOM, LEASE)).queued)
    assert Counter(queued) == dict.fromkeys(range(1, 60), 1)


async def test_more_businesses_than_are_looked_at_have_their_turn(conn: asyncpg.Connection) -> None:
    for business in range(1, 501):
        await _submit(conn, business, 2, "-1 hour")
    first = await relay.enqueue(conn, _ROOM, LEASE)
    assert len(first.queued) == 500
    await _submit(conn, 501, 1)
    await _submit(conn, 502, 1)
    await conn.execute("UPDATE sends SET statement_sha256 = NULL WHERE business_id = 502")
    assert [each.business_id for each in await relay.unfrozen(conn, 500)] == [502]
    second = await relay.enqueue(conn, _ROOM, LEASE)
    assert await _owners(conn, second.queued) == [501]
    assert second.is_full


async def test_what_the_broker_lost_holds_up_its_business_for_a_while_only(
    conn: asyncpg.Connection,
) -> None:
    await _submit(conn, 1, 600, "-1 hour")
    await relay.confirm(conn, (await relay.enqueue(conn, _ROOM, LEASE)).queued)
    await _submit(conn, 2, 600)
    assert len((await relay.enqueue(conn, _ROOM, LEASE)).queued) == _ROOM // 2
    for age, parts in ((LEASE, {}), (10 * LEASE, {1: _ROOM // 2})):
        await conn.execute(
            "UPDATE deliveries SET lease_until = now() + $1::interval - $2::interval"
            " WHERE business_id = 1 AND state = 'queued'",
            LEASE,
            age,
        )
        batch = await relay.enqueue(conn, _ROOM, LEASE)
        assert Counter(await _owners(conn, batch.queued)) == parts
        assert batch.before == _ROOM + _ROOM // 2


async def test_what_is_not_due_paused_or_not_frozen_takes_no_turn(conn: asyncpg.Connection) -> None:
    await _submit(conn, 1, 600)
    await _submit(conn, 2, 5, "1 hour")
    await _submit(conn, 3, 5)
    await conn.execute("INSERT INTO pauses (business_id) VALUES (3)")
    await _submit(conn, 4, 5)
    await conn.execute("UPDATE sends SET statement_sha256 = NULL WHERE business_id = 4")
    queued = await _owners(conn, (await relay.enqueue(conn, _ROOM, LEASE)).queued)
    # Business 4's part is kept for it: its statement is being frozen at this moment.
    assert Counter(queued) == {1: 10}


async def test_two_relays_take_different_rows_of_each_business(
    database: str, conn: asyncpg.Connection
) -> None:
    for business in (1, 2):
        await _submit(conn, business, 600)
    other = await asyncpg.connect(database)
    try:
        batches = await asyncio.gather(*(relay.enqueue(c, 200, LEASE) for c in (conn, other)))
    finally:
        await other.close()
    queued = [delivery for batch in batches for delivery in batch.queued]
    assert len(set(queued)) == len(queued)
    shares = Counter(await _owners(conn, queued))
    # Both may have looked before either had committed.
    assert 100 <= shares[1] <= 200
    assert 100 <= shares[2] <= 200
    assert (await relay.enqueue(conn, 200, LEASE)).queued == []
