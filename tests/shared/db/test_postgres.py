import asyncio
from urllib.parse import urlsplit

import asyncpg
import pytest

from shared.db import postgres
from tests.roles import role

_LONG = "SELECT generate_series(1, 10000000)"


async def _refused(dsn: str) -> Exception:
    async with postgres.pool(dsn, name="test", size=1) as pool:
        with pytest.raises(Exception, match=r"\w") as refused:
            await pool.fetchval("SELECT 1")
    return refused.value


async def test_a_server_that_is_not_ours_yet_is_waited_for(database: str) -> None:
    """A database that is still to be restored, a user still to be made: no reason to end."""
    parts = urlsplit(database)
    missing = parts._replace(path="/no_such_database").geturl()
    assert isinstance(await _refused(missing), postgres.UNAVAILABLE)
    stranger = parts._replace(netloc=f"stranger:x@{parts.hostname}:{parts.port}").geturl()
    assert isinstance(await _refused(stranger), postgres.UNAVAILABLE)
    nowhere = parts._replace(netloc="u:p@127.0.0.1:1").geturl()
    assert isinstance(await _refused(nowhere), postgres.UNAVAILABLE)


async def test_only_what_postgres_does_not_answer_is_its_outage(database: str) -> None:
    nowhere = urlsplit(database)._replace(netloc="u:p@127.0.0.1:1").geturl()
    assert postgres.is_away(await _refused(nowhere))
    async with postgres.pool(database, name="test", size=1) as pool:
        async with pool.acquire():
            with pytest.raises(TimeoutError) as busy:
                await pool.acquire(timeout=0.01)
        with pytest.raises(TimeoutError) as slow:
            await pool.fetchval("SELECT pg_sleep(5)", timeout=0.01)
        with pytest.raises(TimeoutError) as reader:
            await pool.fetchval("SELECT 1", timeout=await _times_out())
        with pytest.raises(OSError, match="gone") as written:
            async with pool.acquire() as conn:
                # Not a short one: asyncpg waits 30 s for the end of one that has ended already.
                await conn.copy_from_query(_LONG, output=_lose)
    assert postgres.is_away(busy.value)
    assert postgres.is_away(slow.value)
    assert not postgres.is_away(reader.value)
    assert not postgres.is_away(written.value)
    assert not postgres.is_away(PermissionError("never raised by anybody"))


async def _times_out() -> float:
    async with asyncio.timeout(0):
        await asyncio.sleep(1)
    return 1


async def _lose(_: bytes) -> None:
    raise ConnectionResetError("gone")


async def test_a_fault_in_a_statement_is_no_outage(database: str) -> None:
    async with postgres.pool(database, name="test", size=1) as pool:
        with pytest.raises(asyncpg.PostgresError) as wrong:
            await pool.fetchval("SELECT 1 / 0")
    assert not isinstance(wrong.value, postgres.UNAVAILABLE)


@pytest.mark.parametrize("wanted", ["FROM no_such_table", "no_such_column", "no_such_function()"])
async def test_what_a_migration_is_still_to_bring_is_waited_for(database: str, wanted: str) -> None:
    async with postgres.pool(database, name="test", size=1) as pool:
        with pytest.raises(postgres.UNAVAILABLE):
            await pool.fetchval(f"SELECT {wanted}")


async def test_a_right_that_is_still_to_be_granted_is_waited_for(database: str) -> None:
    async with role(database) as stranger, postgres.pool(stranger, name="test", size=1) as pool:
        with pytest.raises(postgres.UNAVAILABLE, match="permission denied"):
            await pool.fetchval("SELECT count(*) FROM pauses")


async def test_dates_and_times_mean_the_same_whatever_the_database_is_set_to(database: str) -> None:
    conn = await asyncpg.connect(database)
    name = urlsplit(database).path[1:]
    await conn.execute(f"ALTER DATABASE \"{name}\" SET datestyle = 'SQL, DMY'")
    await conn.execute(f"ALTER DATABASE \"{name}\" SET timezone = 'Asia/Kolkata'")
    await conn.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = off')
    await conn.close()
    async with postgres.pool(database, name="test", size=1) as pool:
        assert await pool.fetchval("SELECT '2024-11-03'::date::text") == "2024-11-03"
        assert await pool.fetchval("SHOW timezone") == "UTC"
        assert await pool.fetchval("SHOW synchronous_commit") == "on"
