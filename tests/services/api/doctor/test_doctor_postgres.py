"""What `doctor` finds in Postgres; each finding is provoked on the real server."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import asyncpg
import pytest

from provision.servers import Servers
from shared.db.grants import API
from tests.commands import ended
from tests.doctor_report import Doctor, doctor
from tests.roles import acting, as_role, role
from tests.servers import address, copied

# All that a role of the API may not do itself is skipped.
SKIPPED = {"postgres.figures": {"skipped"}}


@asynccontextmanager
async def owner(database: str) -> AsyncIterator[asyncpg.Connection]:
    conn = await asyncpg.connect(database)
    try:
        yield conn
    finally:
        await conn.close()


async def test_a_sound_installation_is_ok_with_the_rights_of_each_process(
    golden: str, broker: str
) -> None:
    api = await doctor(DATABASE_URL=acting(golden, "api"))
    assert (api.status, api.report["status"], api.err) == (0, "ok", "")
    assert api.not_ok == SKIPPED
    assert {"machine.fonts", "machine.rendering", "settings.contradictions"} <= api.statuses.keys()
    relay = await doctor(DATABASE_URL=acting(golden, "relay"), AMQP_URL=broker)
    assert relay.not_ok == SKIPPED | {"rabbitmq.topology": {"warning"}}
    assert relay.status == 0


async def test_the_owner_verifies_a_sample(golden: str) -> None:
    whole = await doctor("--process", "commands", "--only", "postgres", DATABASE_URL=golden)
    assert whole.not_ok == {"postgres.rights": {"warning"}}
    [(status, found)] = whole.of("postgres.figures")
    assert status == "ok"
    async with owner(golden) as conn:
        await conn.execute("UPDATE kept_documents SET billed = billed + 1234.56")
    wrong = await doctor("--process", "commands", "--only", "postgres", DATABASE_URL=golden)
    [(status, found)] = wrong.of("postgres.figures")
    assert (status, wrong.status) == ("failure", 1)
    assert "1234" not in found


async def of_postgres(url: str, *words: str) -> Doctor:
    return await doctor("--only", "postgres", *words, DATABASE_URL=url)


@pytest.mark.parametrize(
    ("change", "check", "status", "words"),
    [
        ("DROP TRIGGER keep_update ON payments", "triggers", "failure", "payments: keep_update"),
        (
            "ALTER TABLE invoices DISABLE TRIGGER keep_insert",
            "triggers", "failure", "switched off on invoices: keep_insert",
        ),
        (
            "DELETE FROM schema_migrations WHERE name LIKE '0034%'",
            "migrations", "failure", "pending: 0034_schedules.sql",
        ),
        (
            "INSERT INTO schema_migrations (name, sha256) VALUES ('9999_future.sql', 'x')",
            "migrations", "failure", "9999_future.sql",
        ),
        (
            "UPDATE schema_migrations SET sha256 = 'x' WHERE name LIKE '0001%'",
            "migrations", "failure", "changed after they were applied: 0001_ledger.sql",
        ),
        (
            f"REVOKE INSERT ON sends FROM {API}", "rights", "failure", "lacks INSERT on sends",
        ),
        (
            f"REVOKE UPDATE (last_used_at) ON api_keys FROM {API}",
            "rights", "failure", "lacks UPDATE (last_used_at) on api_keys",
        ),
        (f"GRANT DELETE ON invoices TO {API}", "rights", "warning", 'DELETE ON public."invoices"'),
    ],
)  # fmt: skip
async def test_a_change_of_the_schema_is_found(
    golden: str, change: str, check: str, status: str, words: str
) -> None:
    async with owner(golden) as conn:
        await conn.execute(change)
    found = await of_postgres(acting(golden, "api"))
    assert status in found.statuses[f"postgres.{check}"]
    assert any(words in text for _, text in found.of(f"postgres.{check}"))
    assert found.status == (status == "failure")
    assert all(each["advice"] for each in found.report["findings"] if each["status"] == status)


async def test_a_partition_needs_the_triggers_of_its_table(golden: str) -> None:
    async with owner(golden) as conn:
        triggers = await conn.fetch(
            "SELECT pg_get_triggerdef(oid) AS made FROM pg_trigger"
            " WHERE tgrelid = 'deposits'::regclass AND NOT tgisinternal"
        )
        await conn.execute(
            "CREATE TABLE parted (LIKE deposits INCLUDING ALL) PARTITION BY LIST (business_id);"
            "CREATE TABLE deposits_of_1 PARTITION OF parted FOR VALUES IN (1);"
            "ALTER TABLE deposits RENAME TO deposits_before;"
            "ALTER TABLE parted RENAME TO deposits"
        )
        for each in triggers:
            await conn.execute(each["made"])
        found = await of_postgres(acting(golden, "api"))
        [(status, text)] = found.of("postgres.triggers")
        assert (status, found.status) == ("failure", 1)
        assert text.startswith("missing on deposits_of_1: keep_delete, keep_insert, ")
        for each in triggers:
            await conn.execute(each["made"].replace(" ON public.deposits ", " ON deposits_of_1 "))
    found = await of_postgres(acting(golden, "api"))
    assert found.statuses["postgres.triggers"] == {"ok"}


async def test_a_role_without_rights_and_one_with_all_are_found(golden: str) -> None:
    async with role(golden) as nobody:
        found = await of_postgres(nobody)
    assert found.statuses["postgres.rights"] == {"failure"}
    mighty = await of_postgres(golden)
    assert mighty.statuses["postgres.rights"] == {"warning"}
    assert mighty.status == 0
    assert (await of_postgres(golden, "--strict")).status == 1


async def test_too_few_connections_are_found(golden: str) -> None:
    async with role(golden, f"IN ROLE {API} CONNECTION LIMIT 5") as few:
        found = await of_postgres(few)
    [(status, text)] = found.of("postgres.connections")
    assert (status, found.status) == ("failure", 1)
    assert text.startswith("the process opens up to 11 of 5 connections")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("password", "password authentication failed"),
        ("database", "does not exist"),
        ("port", "Connect"),
    ],
)
async def test_a_postgres_that_cannot_be_reached_is_one_finding(
    golden: str, wrong: str, words: str
) -> None:
    parts = urlsplit(acting(golden, "api"))
    url = {
        "password": as_role(golden, str(parts.username), "not-this-one"),
        "database": parts._replace(path="/nowhere").geturl(),
        "port": parts._replace(netloc=f"{parts.username}:x-secret-x@127.0.0.1:9").geturl(),
    }[wrong]
    found = await of_postgres(url)
    [(status, text)] = found.of("postgres.reachable")
    assert (status, found.status) == ("failure", 1)
    assert words in text
    assert [name for name in found.statuses if name.startswith("postgres.")] == [
        "postgres.reachable"
    ]
    assert str(parts.password) not in str(found.report)


async def test_a_wrong_setting_is_a_wrong_use() -> None:
    done = await ended("services.api", "doctor", settings={})
    assert (done.status, done.out, done.err) == (2, "", "Error: DATABASE_URL: is not set\n")


async def test_a_part_that_is_not_there_is_a_wrong_use(database: str) -> None:
    done = await ended(
        "services.api", "doctor", "--only", "rabbitmq", settings={"DATABASE_URL": database}
    )
    assert (done.status, done.out) == (2, "")
    assert "rabbitmq: the parts are settings, postgres, machine" in done.err


async def test_each_of_several_databases_is_checked(
    golden: str, servers: Servers, golden_template: str
) -> None:
    async with copied(servers, golden_template) as name:
        east = address(servers, name)
        async with owner(east) as conn:
            await conn.execute("DROP TRIGGER keep_update ON payments")
        urls = f"main={acting(golden, 'api')} east={acting(east, 'api')}"
        parts = ("--only", "postgres.main", "--only", "postgres.east")
        found = await doctor(*parts, DATABASE_URLS=urls)
    assert found.statuses["postgres.main.triggers"] == {"ok"}
    assert found.statuses["postgres.east.triggers"] == {"failure"}
