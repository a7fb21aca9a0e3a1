"""`migrate` while other sessions hold locks, and in foreign databases."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from urllib.parse import urlsplit

import asyncpg
import pytest

from provision.servers import Servers
from shared.db import migrate
from shared.db.grants import ROLES
from tests.pgbouncer import pooled
from tests.roles import role
from tests.services.api.command import run

NEXT = "9998_columns.sql"
# pg_locks shows those of all databases, and other tests run beside this one.
ADVISORY_LOCKS = """
SELECT count(*) FROM pg_locks
WHERE locktype = 'advisory'
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
WAITING = """
SELECT count(*) FROM pg_locks
WHERE NOT granted
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


@pytest.fixture
def one_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """One more migration, which needs the table of sends to itself."""
    known = migrate.migrations()
    text = "ALTER TABLE sends ADD COLUMN surplus text"
    monkeypatch.setattr(migrate, "migrations", lambda: {**known, NEXT: text})


@pytest.fixture
async def reader(database: str) -> AsyncIterator[asyncpg.Connection]:
    """A session that has read from the table of sends and left its transaction open."""
    conn = await asyncpg.connect(database, server_settings={"application_name": "dashboard"})
    await conn.execute("BEGIN; SELECT count(*) FROM sends")
    yield conn
    conn.terminate()


async def test_who_comes_after_a_waiting_migration_is_served(
    database: str, reader: asyncpg.Connection, one_more: None
) -> None:
    said: list[str] = []
    migrating = asyncio.create_task(migrate.migrate(database, say=said.append))
    conn = await asyncpg.connect(database)
    while not await conn.fetchval(WAITING):
        await asyncio.sleep(0.05)
    async with asyncio.timeout(180):
        await conn.fetchval("SELECT count(*) FROM sends")
    assert not migrating.done()
    while not said:
        await asyncio.sleep(0.05)
    await reader.execute("ROLLBACK")
    assert await asyncio.wait_for(migrating, 60) == [NEXT]
    await conn.close()
    [line] = said
    pid = reader.get_server_pid()
    name = urlsplit(database).username
    begun = f"waiting for pid {pid} (role {name}, application dashboard, idle in transaction, in a "
    assert line.startswith(f"{begun}transaction since 20")
    assert "SELECT" not in line


async def test_it_gives_up_after_a_while_and_says_who_is_in_the_way(
    database: str, reader: asyncpg.Connection, one_more: None
) -> None:
    with pytest.raises(migrate.MigrationError, match="gave up after 1 s of waiting for pid") as why:
        await migrate.migrate(database, patience=timedelta(seconds=1))
    assert "application dashboard" in str(why.value)
    conn = await asyncpg.connect(database)
    assert NEXT not in {row[0] for row in await conn.fetch("SELECT name FROM schema_migrations")}
    await conn.close()


async def test_through_a_pool_it_leaves_no_lock_and_no_statement_behind(empty: str) -> None:
    async with pooled(empty) as through:
        everything = list(migrate.migrations())
        assert await migrate.migrate(through) == everything
        conn = await asyncpg.connect(empty)
        assert await conn.fetchval(ADVISORY_LOCKS) == 0
        await conn.close()
        assert await migrate.migrate(through) == []
        async with asyncio.timeout(180):
            assert await migrate.migrate(empty) == []


async def test_it_names_another_migrator_that_holds_the_lock(database: str) -> None:
    holder = await asyncpg.connect(database, server_settings={"application_name": "stuck"})
    await holder.execute("SELECT pg_advisory_lock($1)", migrate._LOCK)
    with pytest.raises(migrate.MigrationError, match=r"waiting for pid \d+ .*application stuck"):
        await migrate.migrate(database, patience=timedelta(seconds=1))
    await holder.close()


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
async def test_a_database_of_another_encoding_is_refused(servers: Servers, encoding: str) -> None:
    admin = await asyncpg.connect(servers.database_url)
    name = f"ledgerpost_{encoding.lower()}"
    await admin.execute(
        f"CREATE DATABASE {name} ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0"
    )
    try:
        url = urlsplit(servers.database_url)._replace(path=f"/{name}").geturl()
        ended = await run("migrate", DATABASE_URL=url)
    finally:
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.close()
    assert ended.status == 1
    assert ended.err.startswith(f"Error: the database stores text as {encoding},")
    assert ended.err.count("\n") == 1


async def test_with_nothing_to_do_it_needs_no_right_to_create(database: str) -> None:
    async with role(database) as address:
        admin = await asyncpg.connect(database)
        name = urlsplit(address).username
        await admin.execute(f"GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA public TO {name}")
        await admin.close()
        ended = await run("migrate", DATABASE_URL=address)
    assert (ended.status, ended.out, ended.err) == (0, "up to date\n", "")


async def test_an_owner_that_is_no_superuser_migrates(empty: str) -> None:
    async with role(empty, "CREATEROLE") as address:
        admin = await asyncpg.connect(empty)
        await admin.execute(f"ALTER SCHEMA public OWNER TO {urlsplit(address).username}")
        assert await migrate.migrate(address) == list(migrate.migrations())
        assert await admin.fetchval(f"SELECT has_table_privilege('{ROLES[0]}', 'sends', 'INSERT')")
        await admin.close()


async def test_rights_that_are_out_of_date_are_for_the_owner_to_change(database: str) -> None:
    async with role(database) as address:
        admin = await asyncpg.connect(database)
        name = urlsplit(address).username
        await admin.execute(f"GRANT SELECT ON schema_migrations TO {name}")
        await admin.execute(f"GRANT UPDATE ON invoices TO {ROLES[0]}")
        await admin.close()
        ended = await run("migrate", DATABASE_URL=address)
    assert ended.status == 1
    assert ended.err.startswith("Error: the rights of ledgerpost_api, ")
    assert "as the owner of the tables" in ended.err
