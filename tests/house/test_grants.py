"""Every table has an entry in grants.py, and the database has the same rights."""

import asyncpg
import pytest

from shared.db import migrate
from shared.db.grants import API, GRANTS, LEDGER, MAILER, ROLES
from shared.db.rights import privileges

# Sequences of identity columns belong to their tables.
OBJECTS = """
SELECT c.relname FROM pg_class c
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'i')
"""
GRANTED = """
SELECT r.role, c.relname AS relation, p.privilege
FROM pg_class c, unnest($1::text[]) r (role),
    unnest('{SELECT,INSERT,UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER}'::text[]) p (privilege)
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v')
  AND has_table_privilege(r.role, c.oid, p.privilege)
"""
LEDGER_TABLES = {"businesses", "categories", "customers", "invoices", "payments", "deposits"}


@pytest.fixture
async def conn(database: str) -> asyncpg.Connection:
    conn = await asyncpg.connect(database)
    yield conn
    await conn.close()


async def test_every_table_has_an_entry(conn: asyncpg.Connection) -> None:
    names = {row[0] for row in await conn.fetch(OBJECTS)}
    assert names - GRANTS.keys() == set(), "say in shared/db/grants.py who may do what to it"
    assert GRANTS.keys() - names == set(), "shared/db/grants.py has tables that are gone"


async def test_the_database_grants_what_the_entries_say(conn: asyncpg.Connection) -> None:
    granted = {tuple(row) for row in await conn.fetch(GRANTED, ROLES)}
    whole = {
        (role, table, privilege)
        for table, entry in GRANTS.items()
        for role, text in entry.items()
        for privilege in privileges(text)
        if "(" not in privilege
    }
    assert granted == whole


def test_the_mailer_has_nothing_of_the_ledger_and_the_ledger_nothing_else() -> None:
    of_mailer = {table for table, entry in GRANTS.items() if MAILER in entry}
    assert not of_mailer & (LEDGER_TABLES | {"api_keys", "kept_documents", "idempotency_keys"})
    of_ledger = {table for table, entry in GRANTS.items() if LEDGER in entry}
    assert of_ledger == LEDGER_TABLES | {"schema_migrations", "bulk_loads"}
    assert GRANTS["bulk_loads"] == {LEDGER: "INSERT (transaction)"}


async def test_no_role_can_do_more_than_use_tables(conn: asyncpg.Connection) -> None:
    roles = await conn.fetch(
        """SELECT rolname FROM pg_roles WHERE rolname = ANY ($1::text[])
        AND NOT (rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls)""",
        ROLES,
    )
    assert {row[0] for row in roles} == set(ROLES)


async def test_rights_that_drifted_are_set_right_by_the_next_migrate(
    database: str, conn: asyncpg.Connection
) -> None:
    await conn.execute(f"""
        GRANT SELECT ON invoices TO {MAILER};
        GRANT UPDATE (first_name) ON customers TO {MAILER};
        REVOKE ALL ON pauses FROM {MAILER};
        GRANT DELETE ON businesses TO {API};
        REVOKE UPDATE (last_used_at) ON api_keys FROM {API};
        GRANT EXECUTE ON FUNCTION invoices_changed() TO PUBLIC;
    """)
    assert await migrate.migrate(database) == []
    await test_the_database_grants_what_the_entries_say(conn)
    assert not await conn.fetchval(
        f"SELECT has_column_privilege('{MAILER}', 'customers', 'first_name', 'UPDATE')"
    )
    assert await conn.fetchval(
        f"SELECT has_column_privilege('{API}', 'api_keys', 'last_used_at', 'UPDATE')"
    )
    assert not await conn.fetchval(
        "SELECT has_function_privilege('public', 'invoices_changed()', 'EXECUTE')"
    )
