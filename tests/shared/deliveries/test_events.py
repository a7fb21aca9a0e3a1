"""Events go out at least once, by one relay at a time."""

from contextlib import AsyncExitStack

import asyncpg

from shared.deliveries import events
from tests.shared.deliveries.conftest import LEASE, submit


async def test_relays_take_turns(database: str, conn: asyncpg.Connection) -> None:
    await submit(conn, ["a@x.example"])
    other = await asyncpg.connect(database)
    try:
        async with events.turn(conn, LEASE) as ours:
            assert ours
            async with events.turn(other, LEASE) as theirs:
                assert not theirs
        async with events.turn(other, LEASE) as theirs:
            assert theirs
            # The other one's end did not end this turn.
            async with events.turn(conn, LEASE) as ours:
                assert not ours
    finally:
        await other.close()


async def test_a_relay_that_stood_still_ends_nobody_elses_turn(
    database: str, conn: asyncpg.Connection
) -> None:
    await submit(conn, ["a@x.example"])
    other = await asyncpg.connect(database)
    try:
        async with AsyncExitStack() as slow, AsyncExitStack() as quick:
            assert await slow.enter_async_context(events.turn(other, LEASE))
            await conn.execute("UPDATE outbox SET lease_until = now()")
            assert await quick.enter_async_context(events.turn(conn, LEASE))
            await slow.aclose()
            async with events.turn(other, LEASE) as theirs:
                assert not theirs
    finally:
        await other.close()


async def test_where_there_is_nothing_to_tell_no_row_is_written(conn: asyncpg.Connection) -> None:
    async with events.turn(conn, LEASE) as ours:
        assert not ours
    assert await conn.fetchval("SELECT turn FROM outbox") == 0


async def test_what_was_published_twice_keeps_its_first_time(conn: asyncpg.Connection) -> None:
    await submit(conn, ["a@x.example"])
    found = await events.unpublished(conn, 10)
    await events.mark_published(conn, found)
    first = await conn.fetchval("SELECT published_at FROM delivery_events")
    await events.mark_published(conn, found)
    assert await conn.fetchval("SELECT published_at FROM delivery_events") == first
    assert await events.unpublished(conn, 10) == []
