"""A role without grants may connect, but can change and read nothing."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from services.api.ledger.verification import prove
from tests.roles import role
from tests.services.api.ledgers import load_golden

OPEN = """
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO PUBLIC;
"""
FORGED_DEPOSIT = """
CREATE TEMP TABLE d(business_id bigint, customer_id bigint, amount numeric, type text);
CREATE TRIGGER x AFTER INSERT ON d REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION deposits_changed();
INSERT INTO d VALUES (1, 64, 7777777.77, 'credit');
"""
FORGED_INVOICES = """
CREATE TEMP TABLE i(id bigint, business_id bigint, customer_id bigint, number text, kind text,
    status text, issue_date date, due_date date, total numeric);
CREATE TRIGGER x AFTER INSERT ON i REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION invoices_changed();
INSERT INTO i SELECT 900000000 + g, 1, 64, 'x', 'invoice', 'issued', '2026-09-01', NULL, 1000000
    FROM generate_series(1, 25) g;
"""
# The same table may be hung on the other tables' functions, whose names for columns it has.
ESCALATION = """
CREATE TYPE pg_temp.evil AS ENUM ('settled');
CREATE FUNCTION pg_temp.to_text(pg_temp.evil) RETURNS text LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'ran as %', current_user USING ERRCODE = 'LP666'; END $$;
CREATE CAST (pg_temp.evil AS text) WITH FUNCTION pg_temp.to_text(pg_temp.evil) AS IMPLICIT;
CREATE TEMP TABLE p(business_id bigint, invoice_id bigint, status pg_temp.evil);
CREATE TRIGGER x AFTER INSERT ON p REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION payments_changed();
INSERT INTO p VALUES (1, 1, 'settled');
"""
ATTACKS = {
    "a forged deposit": FORGED_DEPOSIT,
    "forged invoices": FORGED_INVOICES,
    "an escalation": ESCALATION,
    "documents locked": "SELECT keep_documents(ARRAY[1]::bigint[], ARRAY[1]::bigint[])",
    "a version forged": """
        CREATE TEMP TABLE c(business_id bigint);
        CREATE TRIGGER x AFTER INSERT ON c REFERENCING NEW TABLE AS new_rows
            FOR EACH STATEMENT EXECUTE FUNCTION ledger_rows_changed();
        INSERT INTO c VALUES (1);
    """,
} | {
    f"{function} wipes": f"""
        CREATE TEMP TABLE t(id int);
        CREATE TRIGGER x AFTER TRUNCATE ON t FOR EACH STATEMENT EXECUTE FUNCTION {function}();
        TRUNCATE t;
    """
    for function in (
        "invoices_truncated", "deposits_truncated", "payments_changed", "ledger_rows_changed"
    )
}  # fmt: skip
FIGURES = """
SELECT (SELECT json_agg(k ORDER BY k) FROM (SELECT k::text FROM kept_documents k) k)::text,
    (SELECT json_agg(k ORDER BY k) FROM (SELECT k::text FROM kept_periods k) k)::text,
    (SELECT json_agg(k ORDER BY k) FROM (SELECT k::text FROM kept_totals k) k)::text,
    (SELECT json_agg(k ORDER BY k) FROM (SELECT k::text FROM kept_open_parts k) k)::text,
    (SELECT json_agg(k ORDER BY k) FROM (SELECT k::text FROM report_versions k) k)::text
"""

every_attack = pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)


@pytest.fixture
async def owner(database: str) -> AsyncIterator[asyncpg.Connection]:
    """The owner's connection to a database that holds the golden ledger."""
    await load_golden(database)
    conn = await asyncpg.connect(database)
    yield conn
    await conn.close()


@pytest.fixture
async def stranger(database: str, owner: asyncpg.Connection) -> AsyncIterator[asyncpg.Connection]:
    """The connection of a role that was granted nothing."""
    async with role(database) as address:
        conn = await asyncpg.connect(address, server_settings={"lock_timeout": "5s"})
        yield conn
        await conn.close()


@every_attack
async def test_it_is_refused(
    attack: str, owner: asyncpg.Connection, stranger: asyncpg.Connection
) -> None:
    before = await owner.fetchrow(FIGURES)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await stranger.execute(attack)
    assert await owner.fetchrow(FIGURES) == before


@every_attack
async def test_it_is_refused_even_if_everybody_may_execute_the_functions(
    attack: str, owner: asyncpg.Connection, stranger: asyncpg.Connection
) -> None:
    await owner.execute(OPEN)
    before = await owner.fetchrow(FIGURES)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await stranger.execute(attack)
    assert await owner.fetchrow(FIGURES) == before


async def test_it_holds_up_no_writer(
    owner: asyncpg.Connection, stranger: asyncpg.Connection
) -> None:
    await owner.execute(OPEN)
    document = await owner.fetchrow("SELECT business_id, id FROM invoices ORDER BY 1, 2 LIMIT 1")
    await stranger.execute("BEGIN")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await stranger.execute(
            f"SELECT keep_documents(ARRAY[{document[0]}]::bigint[], ARRAY[{document[1]}]::bigint[])"
        )
    async with asyncio.timeout(180):
        await owner.execute(
            """INSERT INTO payments (business_id, id, invoice_id, paid_on, amount, channel, status)
            VALUES ($1, 999999, $2, '2024-12-01', 1, 'manual', 'settled')""",
            *document,
        )


async def test_it_reads_no_table(owner: asyncpg.Connection, stranger: asyncpg.Connection) -> None:
    tables = await owner.fetch(
        """SELECT oid::regclass::text FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v', 'S', 'm', 'p')"""
    )
    assert tables
    for (table,) in tables:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await stranger.fetch(f"SELECT * FROM {table}")


async def test_it_comes_in_between_with_no_function_of_a_closer_type(
    stranger: asyncpg.Connection,
) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await stranger.execute(
            "CREATE FUNCTION public.are_few(integer) RETURNS boolean LANGUAGE sql AS 'SELECT true'"
        )


async def test_a_writer_with_grants_on_the_ledger_alone_keeps_the_figures(
    database: str, owner: asyncpg.Connection
) -> None:
    async with role(database) as address:
        writer = await asyncpg.connect(address)
        name = await writer.fetchval("SELECT current_user")
        await owner.execute(f"GRANT INSERT ON deposits, invoices TO {name}")
        await writer.execute(
            """INSERT INTO deposits (id, business_id, customer_id, entry_date, amount, type)
            VALUES (900000, 1, 1, '2024-11-01', 5, 'credit')"""
        )
        async for proof in prove(owner):
            assert not proof.differences
        await writer.close()
