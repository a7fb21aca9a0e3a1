"""The file that makes partitions of invoices leaves everything else as it was."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from services.api.ledger.imports import import_directory
from shared.db.migrate import migrate
from tests.commands import ended
from tests.doctor_report import doctor
from tests.roles import acting
from tests.servers import absent
from tests.services.api.ledgers import GOLDEN

ROOT = Path(__file__).parents[4]
FILE = ROOT / "deploy" / "postgres" / "partition_invoices.sql"
_ADD = """INSERT INTO {} (id, business_id, customer_id, number, kind, status, issue_date, total)
    VALUES (990001, 1, 4, 'new', 'invoice', 'issued', '2024-11-11', 12.34)"""
_KEPT = "SELECT * FROM kept_totals ORDER BY 1, 2, 3"
# The schema by names, without what belongs to partitions alone.
_BOUND = """
    SELECT conname::text, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE contype IN ('c', 'f', 'p') AND conparentid = 0
      AND 'invoices'::regclass IN (conrelid, confrelid)
    UNION ALL SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger
    WHERE tgrelid = 'invoices'::regclass AND NOT tgisinternal
    UNION ALL SELECT relname, replace(pg_get_indexdef(i.indexrelid), ' ONLY ', ' ')
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = 'invoices'::regclass
    UNION ALL SELECT relname, pg_get_viewdef(oid) FROM pg_class
    WHERE relkind = 'v' AND relnamespace = 'public'::regnamespace
    UNION ALL SELECT 'rights', a::text FROM pg_class, unnest(relacl) AS a
    WHERE oid = 'invoices'::regclass
    ORDER BY 1, 2"""


def partition(database: str) -> subprocess.CompletedProcess[str]:
    """Run the file as its first lines say."""
    psql = shutil.which("psql")
    if psql is None:
        absent("there is no psql")
    options = ["--single-transaction", "-q", "-v", "ON_ERROR_STOP=1", "-f", str(FILE)]
    return subprocess.run([psql, database, *options], capture_output=True, text=True, check=False)


async def _verified(database: str) -> tuple[int, str]:
    done = await ended("services.api", "verify", settings={"DATABASE_URL": database})
    return done.status, done.out + done.err


async def test_all_that_was_bound_to_the_table_is_bound_to_the_new_one(golden: str) -> None:
    conn = await asyncpg.connect(golden)

    async def told(query: str) -> list[Any]:
        return [tuple(row) for row in await conn.fetch(query)]

    bound, kept = await told(_BOUND), await told(_KEPT)
    rows = await told("SELECT * FROM invoices ORDER BY business_id, id")
    done = partition(golden)
    assert (done.returncode, done.stderr) == (0, "")
    assert await told(_BOUND) == bound
    assert await told("SELECT * FROM invoices ORDER BY business_id, id") == rows
    assert await conn.fetchval("SELECT count(*) FROM pg_inherits") >= 16
    assert await migrate(golden) == []
    assert await told(_BOUND) == bound
    assert await told(_KEPT) == kept
    assert (await _verified(golden))[0] == 0

    # Figures follow what is written by the name of the table, by whatever statement.
    await conn.execute(_ADD.format("invoices"))
    assert await told(_KEPT) != kept
    await conn.execute("UPDATE invoices SET total = total + 1 WHERE id = 990001")
    assert (await _verified(golden))[0] == 0
    await conn.execute("DELETE FROM invoices WHERE id = 990001")
    assert await told(_KEPT) == kept
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await conn.execute("DELETE FROM invoices")
    await import_directory(golden, GOLDEN)
    assert await told(_KEPT) == kept

    # What the figures would miss fails.
    of_one = "SELECT tableoid::regclass::text FROM invoices WHERE business_id = 1"
    part = await conn.fetchval(of_one)
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="serves invoices only"):
        await conn.execute(_ADD.format(part))
    with pytest.raises(asyncpg.PostgresError):
        await conn.execute("TRUNCATE invoices CASCADE")
    await conn.execute("SET enable_seqscan = off")
    plan = await conn.fetch("EXPLAIN SELECT * FROM invoices WHERE business_id = 1 AND id = 4")
    assert sum("Scan" in row[0] for row in plan) == 1
    await conn.close()


async def test_doctor_and_a_first_import_see_nothing_wrong(database: str) -> None:
    assert partition(database).returncode == 0
    await import_directory(database, GOLDEN)
    status, said = await _verified(database)
    assert status == 0, said
    found = await doctor("--only", "postgres", DATABASE_URL=acting(database, "api"))
    for check in ("triggers", "rights", "migrations"):
        assert found.statuses[f"postgres.{check}"] == {"ok"}, found.report
