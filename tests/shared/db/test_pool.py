"""Connections that are given back to a pool."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from shared.db import postgres


@pytest.fixture
async def pool(database: str) -> AsyncIterator[asyncpg.Pool]:
    """A pool of one connection, which is open."""
    async with postgres.pool(database, name="test", size=1) as opened:
        await opened.fetchval("SELECT 1")
        yield opened


async def _session(pool: asyncpg.Pool) -> int:
    return int(await pool.fetchval("SELECT pg_backend_pid()"))


async def test_a_connection_is_given_back_without_a_task(pool: asyncpg.Pool) -> None:
    made: list[str] = []
    loop = asyncio.get_running_loop()
    factory = loop.get_task_factory()

    def noted(loop: asyncio.AbstractEventLoop, work: object, **options: object) -> object:
        made.append(repr(work))
        return asyncio.Task(work, loop=loop, **options)  # type: ignore[arg-type]  # as asyncio does

    loop.set_task_factory(noted)  # type: ignore[arg-type]  # its type is a protocol of asyncio
    try:
        async with pool.acquire() as conn:
            assert await conn.fetchval("SELECT 1") == 1
    finally:
        loop.set_task_factory(factory)
    assert made == []
    assert pool.get_idle_size() == 1


async def test_an_open_transaction_is_rolled_back_and_the_session_goes_on(
    pool: asyncpg.Pool,
) -> None:
    session = await _session(pool)
    conn = await pool.acquire()
    await conn.execute("BEGIN; CREATE TEMPORARY TABLE begun (id int)")
    await pool.release(conn)
    assert await pool.fetchval("SELECT to_regclass('begun')") is None
    assert await _session(pool) == session


async def test_whoever_is_cancelled_while_a_transaction_is_rolled_back_loses_no_session(
    pool: asyncpg.Pool,
) -> None:
    session = await _session(pool)
    conn = await pool.acquire()
    await conn.execute("BEGIN")
    given = asyncio.create_task(pool.release(conn))
    await asyncio.sleep(0)
    given.cancel()
    with pytest.raises(asyncio.CancelledError):
        await given
    assert await _session(pool) == session


async def test_a_session_goes_on_after_a_query_that_took_too_long(pool: asyncpg.Pool) -> None:
    session = await _session(pool)
    with pytest.raises(TimeoutError):
        await pool.fetchval("SELECT pg_sleep(5)", timeout=0.01)
    assert await _session(pool) == session


async def test_a_lost_connection_is_given_back_and_replaced(pool: asyncpg.Pool) -> None:
    session = await _session(pool)
    async with pool.acquire() as conn:
        conn.terminate()
    assert await _session(pool) != session


async def test_a_connection_is_given_back_once(pool: asyncpg.Pool) -> None:
    conn = await pool.acquire()
    await pool.release(conn)
    await pool.release(conn)
    assert pool.get_idle_size() == pool.get_size() == 1


async def test_what_was_prepared_on_a_connection_ends_with_its_use(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as conn:
        prepared = await conn.prepare("SELECT 1")
    with pytest.raises(asyncpg.InterfaceError, match="released back to the pool"):
        await prepared.fetchval()
