"""Systems that write the ledger with a search_path of their own, from a dump, or replicated."""

import asyncio
import shutil
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator

import asyncpg
import pytest

from services.api.ledger.verification import prove
from shared.db import migrate
from shared.deliveries import operator
from tests.servers import absent
from tests.services.api.ledgers import TABLES, load_golden

ELSEWHERE = "?options=-csearch_path%3Dlp"
BUSINESS = """INSERT INTO lp.businesses (id, owner_id, name, currency, timezone)
    VALUES (1, 1, 'One', 'EUR', 'UTC')"""
INVOICE = """INSERT INTO lp.invoices
    (business_id, id, customer_id, number, kind, status, issue_date, total)
    SELECT 1, n, 1, 'N', 'invoice', 'issued', '2024-11-01', 5 FROM generate_series({}) n"""


@pytest.fixture
async def elsewhere(database: str) -> str:
    """A database whose ledger is in the schema `lp`, and the address that finds it there."""
    conn = await asyncpg.connect(database)
    await conn.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public; CREATE SCHEMA lp")
    await conn.close()
    await migrate.migrate(database + ELSEWHERE)
    return database


@pytest.mark.parametrize("path", ["public", "pg_catalog", ""])
async def test_a_writer_whose_search_path_is_elsewhere_keeps_the_figures(
    elsewhere: str, path: str
) -> None:
    writer = await asyncpg.connect(elsewhere, server_settings={"search_path": path})
    await writer.execute(BUSINESS)
    await writer.execute("INSERT INTO lp.customers (id, business_id, owner_id) VALUES (1, 1, 1)")
    await writer.execute(INVOICE.format("1, 3"))
    await writer.execute(INVOICE.format("101, 300"))
    await writer.execute(
        """INSERT INTO lp.payments (business_id, id, invoice_id, paid_on, amount, channel, status)
        SELECT 1, id, id, '2024-11-02', 1, 'online', 'settled' FROM lp.invoices"""
    )
    await writer.execute("UPDATE lp.payments SET amount = 2 WHERE id = 1")
    await writer.execute(
        """INSERT INTO lp.deposits (id, business_id, customer_id, entry_date, amount, type)
        VALUES (1, 1, 1, '2024-11-01', 5, 'credit')"""
    )
    await writer.execute(
        "INSERT INTO lp.businesses SELECT 2, 1, name, NULL, NULL, NULL, currency, timezone"
        " FROM lp.businesses; DELETE FROM lp.businesses WHERE id = 2"
    )
    await writer.execute("TRUNCATE lp.deposits")
    await writer.close()
    reader = await asyncpg.connect(elsewhere + ELSEWHERE)
    async for proof in prove(reader):
        assert not proof.differences
    assert await reader.fetchval("SELECT count(*) FROM kept_documents") == 203
    await reader.close()


async def test_a_delivery_is_logged_whatever_the_search_path(elsewhere: str) -> None:
    writer = await asyncpg.connect(elsewhere, server_settings={"search_path": "public"})
    await writer.execute(
        """INSERT INTO lp.sends (id, business_id, customer_id, date_from, date_to, copy_to_me,
            send_at, expires_at, created_at)
        VALUES (gen_random_uuid(), 1, 1, '2024-11-01', '2024-11-30', false,
            now(), now() + interval '1 hour', now());
        INSERT INTO lp.deliveries (id, send_id, business_id, position, email, email_key, due_at,
            expires_at, created_at, updated_at)
        SELECT gen_random_uuid(), id, 1, 1, 'a@b.example', 'a@b.example', send_at, expires_at,
            created_at, created_at FROM lp.sends"""
    )
    assert await writer.fetchval("SELECT count(*) FROM lp.delivery_events") == 1
    await writer.close()


async def test_a_dump_of_the_ledgers_rows_goes_into_a_migrated_database(database: str) -> None:
    """As docs/import.md has it: a dump and its restore have no search_path at all."""
    await load_golden(database)
    tables = [f"--table=public.{table}" for table in TABLES]
    dump = await output_of(
        "pg_dump", "--data-only", "--inserts", "--on-conflict-do-nothing", *tables, database
    )
    conn = await asyncpg.connect(database)
    before = await conn.fetchval("SELECT count(*) FROM kept_documents")
    await conn.execute("TRUNCATE businesses CASCADE")
    await output_of("psql", "-q", "-v", "ON_ERROR_STOP=1", database, given=dump)
    async for proof in prove(conn):
        assert not proof.differences
    assert await conn.fetchval("SELECT count(*) FROM kept_documents") == before
    await conn.close()


async def output_of(program: str, *arguments: str, given: bytes = b"") -> bytes:
    if shutil.which(program) is None:
        absent(f"{program} is not installed")
    process = await asyncio.create_subprocess_exec(
        program, *arguments, stdin=PIPE, stdout=PIPE, stderr=PIPE
    )
    out, err = await process.communicate(given)
    assert process.returncode == 0, err.decode()
    return out


@pytest.fixture
async def published(database: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection to a database all of whose tables are in a publication."""
    conn = await asyncpg.connect(database)
    await conn.execute("CREATE PUBLICATION everything FOR ALL TABLES")
    yield conn
    await conn.close()


@pytest.mark.parametrize("business", [None, 7])
async def test_a_pause_ends_in_a_published_database(
    published: asyncpg.Connection, business: int | None
) -> None:
    await operator.pause(published, business)
    await operator.pause(published, business)
    assert [each.business_id for each in await operator.pauses(published)] == [business]
    assert await operator.resume(published, business)
    assert await operator.pauses(published) == []
