"""Sessions with Postgres, directly and through poolers."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import asyncpg
import pytest

from provision.servers import Servers
from shared.db import postgres
from shared.db.postgres import UNAVAILABLE
from shared.db.readiness import check_postgres
from shared.db.session import _SETTINGS, Unfit
from tests.black_hole import NAME, half_there
from tests.pgbouncer import pooled

# What operators are told to set so that PgBouncer drops what it does not know.
_REMEDY = "ignore_startup_parameters = jit,plan_cache_mode,synchronous_commit,enable_seqscan"


async def alter(dsn: str, change: str) -> None:
    """Change a setting of the database, for sessions that begin from now on."""
    conn = await asyncpg.connect(dsn)
    await conn.execute(f'ALTER DATABASE "{urlsplit(dsn).path[1:]}" {change}')
    await conn.close()


async def told(dsn: str) -> str:
    """What a pool says that may not be used."""
    async with postgres.pool(dsn, name="test", size=3) as pool:
        with pytest.raises(Unfit) as refused:
            await pool.fetchval("SELECT 1")
        with pytest.raises(Unfit):
            await check_postgres(pool)
    assert isinstance(refused.value, UNAVAILABLE)
    assert postgres.is_away(refused.value)
    assert "\n" not in str(refused.value)
    return str(refused.value)


@pytest.mark.parametrize("by_pooler", [False, True])
async def test_what_we_rest_on_is_set_whatever_the_database_and_a_pooler_say(
    database: str, *, by_pooler: bool
) -> None:
    for change in (
        "synchronous_commit = off",
        "default_transaction_isolation = 'serializable'",
        "plan_cache_mode = 'force_custom_plan'",
        "standard_conforming_strings = off",
        "timezone = 'Asia/Kolkata'",
        "datestyle = 'SQL, DMY'",
        "jit = on",
        "enable_seqscan = off",
    ):
        await alter(database, f"SET {change}")
    async with pooled(database, "session", _REMEDY) as through:
        for by_key in (True, False):
            where = through if by_pooler else database
            async with postgres.pool(where, name="test", size=2, by_key=by_key) as pool:
                wanted = _SETTINGS | {
                    "enable_seqscan": "off" if by_key else "on",
                    "plan_cache_mode": "force_generic_plan" if by_key else "auto",
                    "transaction_isolation": "read committed",
                    "timezone": "UTC",
                    "datestyle": "ISO, DMY",
                }
                seen = {name: await pool.fetchval(f"SHOW {name}") for name in wanted}
                assert seen == wanted
                await check_postgres(pool)


async def test_pgbouncer_in_session_mode_needs_no_remedy(database: str) -> None:
    async with pooled(database, "session") as through:
        # One after the other gets the same server connection, which is cleaned between them.
        for _ in range(3):
            async with postgres.pool(through, name="test", size=4) as pool:
                answers = [pool.fetchval("SELECT $1::int", number) for number in range(20)]
                assert await asyncio.gather(*answers) == list(range(20))
                await check_postgres(pool)


@pytest.mark.parametrize(
    "settings",
    [
        "",
        "server_round_robin = 1",
        "server_reset_query_always = 1",
        "default_pool_size = 1",
    ],
)
@pytest.mark.parametrize("mode", ["transaction", "statement"])
async def test_a_pool_that_gives_a_session_to_several_is_refused(
    database: str, mode: str, settings: str
) -> None:
    async with pooled(database, mode, settings) as through:
        assert "pool_mode=session" in await told(through)


async def test_a_pool_that_does_not_clean_sessions_is_refused(database: str) -> None:
    async with pooled(database, "session", "server_reset_query =") as through:
        async with postgres.pool(through, name="test", size=1) as pool:
            await pool.fetchval("SELECT 1")
        assert "server_reset_query" in await told(through)


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
async def test_a_database_without_utf_8_is_refused(servers: Servers, encoding: str) -> None:
    name = f"ledgerpost_{encoding.lower()}_{secrets.token_hex(6)}"
    admin = await asyncpg.connect(servers.database_url)
    try:
        await admin.execute(
            f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}' LOCALE 'C'"
        )
        dsn = urlsplit(servers.database_url)._replace(path=f"/{name}").geturl()
        assert encoding in await told(dsn)
    finally:
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.close()


async def test_a_session_without_triggers_is_refused(database: str) -> None:
    await alter(database, "SET session_replication_role = replica")
    assert "triggers" in await told(database)


@asynccontextmanager
async def serving_writes(pool: asyncpg.Pool) -> AsyncIterator[None]:
    await pool.execute("CREATE TABLE written (number int)")
    yield
    await pool.execute("INSERT INTO written VALUES (1)")


async def test_connections_to_a_server_that_takes_no_writes_any_more_are_given_up(
    database: str,
) -> None:
    """As after a fail-over whose old primary lives on, and whose name leads there for a while."""
    async with postgres.pool(database, name="test", size=5) as pool:
        async with serving_writes(pool), pool.acquire() as first, pool.acquire() as second:
            for conn in (first, second):
                await conn.execute("SET default_transaction_read_only = on")
            with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
                await first.execute("INSERT INTO written VALUES (1)")
            await asyncio.sleep(0)  # the pool is told in the loop's next turn
            await asyncio.sleep(0)
            # Neither the one that was asked nor the one beside it is used again.
        await check_postgres(pool)


async def test_a_pool_mends_itself_once_new_connections_can_write(database: str) -> None:
    async with postgres.pool(database, name="test", size=3) as pool:
        async with serving_writes(pool):
            await alter(database, "SET default_transaction_read_only = on")
            await pool.expire_connections()  # they were terminated
            for _ in range(12):
                with pytest.raises(Unfit, match="takes no writes"):
                    await pool.fetchval("SELECT 1")
            with pytest.raises(Unfit, match="takes no writes"):
                await check_postgres(pool)
            conn = await asyncpg.connect(database)
            await conn.execute("SET default_transaction_read_only = off")
            name = urlsplit(database).path[1:]
            await conn.execute(f'ALTER DATABASE "{name}" RESET default_transaction_read_only')
            await conn.close()
        await check_postgres(pool)


async def test_readiness_finds_a_server_that_takes_no_writes_and_leaves_it(database: str) -> None:
    async with postgres.pool(database, name="test", size=1) as pool:
        await pool.execute("SET default_transaction_read_only = on")
        with pytest.raises(Unfit, match="takes no writes"):
            await check_postgres(pool)
        await asyncio.sleep(0.01)
        await check_postgres(pool)


async def test_of_several_hosts_the_one_that_answers_is_used(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = urlsplit(database)
    assert there.port is not None
    account = there.netloc.rpartition("@")[0]
    with half_there(monkeypatch, there.port):
        for hosts in (
            f"{NAME}:{there.port}",  # its second address
            f"127.0.0.3:{there.port},127.0.0.1:{there.port}",
        ):
            url = there._replace(netloc=f"{account}@{hosts}").geturl()
            async with postgres.pool(url, name="test", size=1) as pool:
                assert await pool.fetchval("SELECT 1") == 1


async def test_a_server_that_never_answers_is_told_in_words(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.db.opening._OPEN_WAIT_S", 0.5)
    there = urlsplit(database)
    assert there.port is not None
    account = there.netloc.rpartition("@")[0]
    with half_there(monkeypatch, there.port):
        url = there._replace(netloc=f"{account}@127.0.0.3:{there.port}").geturl()
        async with postgres.pool(url, name="test", size=1) as pool:
            with pytest.raises(TimeoutError, match=r"no connection within 0\.5 s"):
                await pool.fetchval("SELECT 1")


async def test_what_postgres_refuses_as_we_connect_is_no_fault_of_a_message(database: str) -> None:
    async with postgres.pool(f"{database}?pgbouncer=true", name="test", size=1) as pool:
        with pytest.raises(UNAVAILABLE, match="pgbouncer"):
            await pool.fetchval("SELECT 1")
