"""Rules for every table and function of the ledger, also for future ones."""

import asyncpg
import pytest

FUNCTIONS = """
SELECT p.oid::regprocedure::text AS name, p.prosecdef AS by_owner,
    'search_path=pg_catalog, public, pg_temp' = ANY (coalesce(p.proconfig, '{}')) AS fixed,
    has_function_privilege('public', p.oid, 'EXECUTE') AS by_anybody
FROM pg_proc p
WHERE p.pronamespace = 'public'::regnamespace
  AND (p.prosecdef OR p.prorettype = 'trigger'::regtype)
ORDER BY 1
"""
# A function with its owner's rights starts by asking which table fired it.
UNGUARDED = r"""
SELECT p.oid::regprocedure::text FROM pg_proc p
WHERE p.pronamespace = 'public'::regnamespace AND p.prosecdef
  AND (p.prorettype <> 'trigger'::regtype OR p.prosrc !~ '\nBEGIN\n    IF TG_RELID (<>|NOT IN) ')
"""
KEYLESS = """
SELECT c.oid::regclass::text FROM pg_class c
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
  AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary)
"""


@pytest.fixture
async def conn(database: str) -> asyncpg.Connection:
    conn = await asyncpg.connect(database)
    yield conn
    await conn.close()


async def test_functions_with_their_owners_rights_are_for_their_owner(
    conn: asyncpg.Connection,
) -> None:
    functions = await conn.fetch(FUNCTIONS)
    assert [each["name"] for each in functions if each["by_owner"]]
    open_to_all = [each["name"] for each in functions if each["by_owner"] and each["by_anybody"]]
    assert not open_to_all, "REVOKE EXECUTE ON FUNCTION … FROM PUBLIC, as migration 0019 does"
    unguarded = [each[0] for each in await conn.fetch(UNGUARDED)]
    assert not unguarded, "ask for TG_RELID before all else, as in migration 0019"


async def test_trigger_functions_have_a_search_path_of_their_own(conn: asyncpg.Connection) -> None:
    loose = [each["name"] for each in await conn.fetch(FUNCTIONS) if not each["fixed"]]
    assert not loose, "SET search_path = pg_catalog, <the ledger's schema>, pg_temp, as in 0019"


async def test_every_table_has_a_primary_key(conn: asyncpg.Connection) -> None:
    assert not [each[0] for each in await conn.fetch(KEYLESS)]


async def test_nobody_creates_in_the_schema_of_the_ledger_but_everybody_may_connect(
    conn: asyncpg.Connection,
) -> None:
    assert not await conn.fetchval("SELECT has_schema_privilege('public', 'public', 'CREATE')")
    assert await conn.fetchval(
        "SELECT has_database_privilege('public', current_database(), 'CONNECT')"
    )
