import asyncio
from urllib.parse import urlsplit

import asyncpg
import pytest

from services.api.ledger.verification import prove
from shared.db import migrate
from tests.services.api.ledgers import load_golden


async def names(dsn: str, table: str = "schema_migrations") -> list[str]:
    conn = await asyncpg.connect(dsn)
    try:
        return [row[0] for row in await conn.fetch(f"SELECT name FROM {table} ORDER BY name")]
    finally:
        await conn.close()


async def test_all_migrations_apply_once_and_in_order(empty: str) -> None:
    everything = list(migrate.migrations())
    assert everything == sorted(everything)
    assert await migrate.migrate(empty) == everything
    assert await migrate.migrate(empty) == []
    assert await names(empty) == everything


async def test_what_is_pending_is_known_before_and_after(empty: str) -> None:
    conn = await asyncpg.connect(empty)
    assert await migrate.pending(conn) == list(migrate.migrations())
    await migrate.migrate(empty)
    assert await migrate.pending(conn) == []
    await conn.close()


async def test_several_that_start_at_once_apply_each_migration_once(empty: str) -> None:
    applied = await asyncio.gather(*(migrate.migrate(empty) for _ in range(5)))
    assert sorted(name for each in applied for name in each) == list(migrate.migrations())


async def test_a_migration_that_fails_leaves_nothing_behind(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = migrate.migrations()
    broken = "CREATE TABLE half (name text); SELECT 1/0"
    monkeypatch.setattr(migrate, "migrations", lambda: {**known, "9999_broken.sql": broken})
    with pytest.raises(asyncpg.DivisionByZeroError):
        await migrate.migrate(database)
    assert "9999_broken.sql" not in await names(database)
    with pytest.raises(asyncpg.UndefinedTableError):
        await names(database, "half")


async def test_one_that_changed_or_vanished_since_is_refused(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = migrate.migrations()
    first, *rest = known
    monkeypatch.setattr(migrate, "migrations", lambda: {**known, first: known[first] + "\n--"})
    with pytest.raises(migrate.MigrationError, match=f"{first} was changed"):
        await migrate.migrate(database)
    monkeypatch.setattr(migrate, "migrations", lambda: {name: known[name] for name in rest})
    with pytest.raises(migrate.MigrationError, match=f"{first} was applied"):
        await migrate.migrate(database)


async def test_a_migrator_that_dies_leaves_no_lock(empty: str) -> None:
    holder = await asyncpg.connect(empty)
    await holder.execute("SELECT pg_advisory_lock($1)", migrate._LOCK)
    waiting = asyncio.create_task(migrate.migrate(empty))
    done, _ = await asyncio.wait({waiting}, timeout=0.3)
    assert not done, urlsplit(empty).path
    holder.terminate()
    assert await asyncio.wait_for(waiting, 30) == list(migrate.migrations())


async def test_documents_from_before_are_counted_with_their_open_parts(
    empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {name: text for name, text in migrate.migrations().items() if name < "0025"}
    with monkeypatch.context() as patched:
        patched.setattr(migrate, "migrations", lambda: before)
        await migrate.migrate(empty)
    await load_golden(empty)
    await migrate.migrate(empty)
    conn = await asyncpg.connect(empty)
    assert await conn.fetchval("SELECT count(DISTINCT invoice_id) FROM kept_open_parts") == 9
    async for proof in prove(conn):
        assert not proof.differences, proof
    await conn.close()
