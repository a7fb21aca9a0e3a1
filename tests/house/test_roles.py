"""docker/roles.sql as compose and the demo run it, on new and on older databases.

All in one file, because roles belong to the whole server and files run in parallel.
"""

import asyncio
import shutil
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import asyncpg
import pytest

from demo import roles
from shared.db import migrate
from tests.roles import as_role
from tests.servers import absent
from tests.services.api.ledgers import load_golden

SCRIPT = Path(__file__).parents[2] / "docker" / "roles.sh"
PROCESSES = ("owner", "api", "relay", "mailer", "ledger")
OF_SUPERUSER = """
SELECT oid::regclass::text FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relowner = current_user::regrole
UNION ALL SELECT oid::regprocedure::text FROM pg_proc
WHERE pronamespace = 'public'::regnamespace AND proowner = current_user::regrole
UNION ALL SELECT oid::regtype::text FROM pg_type
WHERE typnamespace = 'public'::regnamespace AND typowner = current_user::regrole
"""

MakeRoles = Callable[[], Awaitable[None]]


@pytest.fixture
async def admin(database: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection of the superuser, which also removes the roles again."""
    conn = await asyncpg.connect(database)
    yield conn
    made = ", ".join(f"lp_{each}" for each in PROCESSES)
    name = await conn.fetchval("SELECT current_database()")
    await conn.execute(f'ALTER DATABASE "{name}" OWNER TO CURRENT_USER')
    await conn.execute(f"DROP OWNED BY {made} CASCADE; DROP ROLE {made}")
    await conn.close()


@pytest.fixture
def make_roles(database: str, admin: asyncpg.Connection, tmp_path: Path) -> MakeRoles:
    """Do what the service `roles` does, with the passwords that `secrets` generated."""
    if shutil.which("psql") is None:
        absent("psql is not installed")
    for folder in ("postgres", "roles"):
        (tmp_path / folder).mkdir()
    (tmp_path / "postgres" / "password").write_text("in-the-address")
    for each in PROCESSES:
        (tmp_path / "roles" / each).write_text(f"password-of-{each}")

    async def make() -> None:
        process = await asyncio.create_subprocess_exec(
            "sh", SCRIPT, database, env={"SECRETS": str(tmp_path), "PATH": "/usr/bin:/bin"},
            stdout=PIPE, stderr=PIPE,
        )  # fmt: skip
        out, err = await process.communicate()
        assert (process.returncode, out, err) == (0, b"", b"")

    return make


def login(database: str, process: str) -> str:
    return as_role(database, f"lp_{process}", f"password-of-{process}")


async def test_a_new_database_is_migrated_by_an_owner_with_no_other_powers(
    database: str, admin: asyncpg.Connection, make_roles: MakeRoles
) -> None:
    await admin.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    await admin.execute("ALTER SCHEMA public OWNER TO pg_database_owner")
    await make_roles()
    assert await migrate.migrate(login(database, "owner")) == list(migrate.migrations())
    powers = await admin.fetch(
        """SELECT rolname FROM pg_roles WHERE rolname LIKE 'lp\\_%'
        AND (rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls)"""
    )
    assert powers == []


async def test_what_an_earlier_version_made_goes_to_the_owner_and_goes_on_working(
    database: str, admin: asyncpg.Connection, make_roles: MakeRoles
) -> None:
    await load_golden(database)
    await make_roles()
    await make_roles()
    assert await admin.fetch(OF_SUPERUSER) == []
    assert await migrate.migrate(login(database, "owner")) == []
    ledger = await asyncpg.connect(login(database, "ledger"))
    await ledger.execute("UPDATE invoices SET total = total + 1 WHERE business_id = 1")
    await ledger.close()
    differing = await admin.fetchval(
        """SELECT count(*) FROM counted_documents c FULL JOIN kept_documents k
        USING (business_id, invoice_id) WHERE c IS DISTINCT FROM k"""
    )
    assert differing == 0


@pytest.mark.parametrize(
    ("process", "may", "may_not"),
    [
        ("api", "SELECT FROM kept_totals", "DELETE FROM api_keys"),
        ("relay", "SELECT FROM invoices", "UPDATE invoices SET total = 0"),
        ("mailer", "SELECT FROM statements", "SELECT FROM customers"),
        ("ledger", "UPDATE invoices SET total = 0", "SELECT FROM sends"),
    ],
)
async def test_each_may_do_its_own_work_only(
    database: str, make_roles: MakeRoles, process: str, may: str, may_not: str
) -> None:
    await make_roles()
    conn = await asyncpg.connect(login(database, process))
    await conn.execute(may)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await conn.execute(may_not)
    await conn.close()


async def test_the_demo_has_them_too(database: str, admin: asyncpg.Connection) -> None:
    first = await roles.make(database)
    assert await roles.make(database) == first
    assert first.keys() == {"owner", "api", "relay", "mailer"}
    assert await migrate.migrate(first["owner"]) == []
    for process, address in first.items():
        conn = await asyncpg.connect(address)
        assert await conn.fetchval("SELECT current_user") == f"lp_{process}"
        await conn.close()
