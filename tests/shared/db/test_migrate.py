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


LESS = {"9998_less.sql": f"{migrate.AFTER}ALTER TABLE sends DROP COLUMN personal_message"}
MORE = {"9999_more.sql": f"{migrate.BEFORE}ALTER TABLE sends ADD COLUMN more text"}


async def test_what_comes_after_the_code_waits_until_it_is_asked_for(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = migrate.migrations()
    monkeypatch.setattr(migrate, "migrations", lambda: known | LESS)
    conn = await asyncpg.connect(database)
    said: list[str] = []
    assert await migrate.migrate(database, say=said.append) == []
    assert said == ["for `migrate --after`, once the version before has ended: 9998_less.sql"]
    assert await migrate.pending(conn) == []
    assert await migrate.migrate(database, after=True, say=said.append) == [*LESS]
    assert len(said) == 1
    await conn.close()


async def test_what_comes_after_the_code_waits_no_longer_than_for_the_next_migration(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = migrate.migrations()
    monkeypatch.setattr(migrate, "migrations", lambda: known | LESS | MORE)
    conn = await asyncpg.connect(database)
    assert await migrate.pending(conn) == [*LESS, *MORE]
    assert await migrate.migrate(database) == [*LESS, *MORE]
    await conn.close()


async def test_in_an_empty_database_nothing_waits(
    empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = migrate.migrations()
    monkeypatch.setattr(migrate, "migrations", lambda: known | LESS)
    assert await migrate.migrate(empty) == [*known, *LESS]


async def test_a_migration_may_be_marked_after_it_was_applied(
    empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = migrate.migrations()
    bare = {name: text.removeprefix(migrate.BEFORE) for name, text in known.items()}
    assert bare != known
    with monkeypatch.context() as patched:
        patched.setattr(migrate, "migrations", lambda: bare)
        await migrate.migrate(empty)
    assert await migrate.migrate(empty) == []


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
    assert await asyncio.wait_for(waiting, 60) == list(migrate.migrations())


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


async def test_occurrences_that_were_late_become_skipped(
    empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {name: text for name, text in migrate.migrations().items() if name < "0041"}
    with monkeypatch.context() as patched:
        patched.setattr(migrate, "migrations", lambda: before)
        await migrate.migrate(empty)
    await load_golden(empty)
    conn = await asyncpg.connect(empty)
    await conn.execute(
        """WITH added AS (
               INSERT INTO schedules (id, business_id, name, rule, at_time, timezone, period,
                                      starts_on, created_at, updated_at)
               VALUES (gen_random_uuid(), 1, 'n', '{}', '09:00', 'UTC', 'last-month',
                       '2024-01-01', now(), now()) RETURNING id)
           INSERT INTO schedule_occurrences (schedule_id, occurrence, outcome, reason, reason_code)
           SELECT id, day::date, outcome, reason, code FROM added, (VALUES
               ('2024-01-05', 'missed', 'late', 'occurrence_late'),
               ('2024-01-12', 'missed', 'no days', 'period_unknown'),
               ('2024-01-19', 'skipped', NULL, NULL)) given (day, outcome, reason, code)"""
    )
    await migrate.migrate(empty)
    found = await conn.fetch(
        "SELECT outcome, reason_code FROM schedule_occurrences ORDER BY occurrence"
    )
    assert [tuple(row) for row in found] == [
        ("skipped", "occurrence_late"),
        ("missed", "period_unknown"),
        ("skipped", None),
    ]
    await conn.close()
