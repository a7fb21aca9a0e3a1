"""The work of Postgres for an import, with different former contents of the ledger."""

import json
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from services.api.ledger import imports
from services.api.ledger.imports import import_directory
from tests.roles import acting

CUSTOMERS, EACH = 1_000, 5
ROWS = CUSTOMERS * (1 + 2 * EACH)
LEDGER = {
    "businesses": "id,owner_id,name,currency,timezone\n",
    "customers": "id,business_id,owner_id,business_address,created_at,updated_at\n",
    "invoices": "id,business_id,customer_id,number,kind,status,issue_date,total\n",
    "payments": "id,business_id,invoice_id,paid_on,amount,channel,status\n",
}
WATCH = """
ALTER DATABASE "{name}" SET session_preload_libraries = 'auto_explain';
ALTER DATABASE "{name}" SET auto_explain.log_min_duration = 0;
ALTER DATABASE "{name}" SET auto_explain.log_analyze = on;
ALTER DATABASE "{name}" SET auto_explain.log_nested_statements = on;
ALTER DATABASE "{name}" SET auto_explain.log_timing = off;
ALTER DATABASE "{name}" SET auto_explain.log_format = json;
ALTER DATABASE "{name}" SET auto_explain.log_level = notice;
ALTER DATABASE "{name}" SET client_min_messages = notice;
"""


def write(directory: Path, customers: int, each: int, *, month: int = 1, business: int = 1) -> Path:
    directory.mkdir()
    begin = 1_000_000 * month
    documents = range(begin, begin + customers * each)
    day = f"2024-{month:02}-01"
    rows = {
        "businesses": (f"{n},1,A,EUR,UTC\n" for n in (business,)),
        "customers": (
            f"{n},{business},1,{'x' * 400},2024-01-01 00:00:00,2024-01-01 00:00:00\n"
            for n in range(1, customers + 1)
        ),
        "invoices": (
            f"{n},{business},{1 + n % customers},I{n},invoice,issued,{day},1\n" for n in documents
        ),
        "payments": (f"{n},{business},{n},{day},1,manual,settled\n" for n in documents),
    }
    for table, header in LEDGER.items():
        (directory / f"{table}.csv").write_text(header + "".join(rows.get(table, ())))
    return directory


def compared_in_vain(node: dict[str, Any]) -> int:
    """Pairs of rows that a plan compared and did not join."""
    pairs = int(node.get("Rows Removed by Join Filter", 0)) * int(node.get("Actual Loops", 1))
    return pairs + sum(map(compared_in_vain, node.get("Plans", ())))


async def watched(dsn: str, directory: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """Import the directory; return the number of pairs that were compared and not joined."""
    plans: list[dict[str, Any]] = []

    def note(_: object, message: Any) -> None:
        _, begin, plan = message.message.partition("plan:\n")
        if begin:
            plans.append(json.loads(plan)["Plan"])

    connect = asyncpg.connect

    async def listening(*arguments: Any, **options: Any) -> asyncpg.Connection:
        connection = await connect(*arguments, **options)
        connection.add_log_listener(note)
        return connection

    with monkeypatch.context() as patched:
        patched.setattr(imports.asyncpg, "connect", listening)
        await import_directory(dsn, directory)
    assert plans
    return sum(map(compared_in_vain, plans))


async def sample(dsn: str, directory: Path) -> None:
    """Import two customers of another business, and let auto_explain tell of what follows.

    By the figures of the sample, no row of a file seems to refer to a customer that there is.
    """
    await import_directory(dsn, write(directory / "sample", 2, 1, business=9))
    conn = await asyncpg.connect(dsn)
    try:
        name = await conn.fetchval("SELECT current_database()")
        await conn.execute(WATCH.format(name=name))
        await conn.execute("ANALYZE")
    finally:
        await conn.close()


@pytest.mark.parametrize("login", [None, "ledger"])
async def test_its_work_grows_with_its_rows_whatever_was_there_before(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, login: str | None
) -> None:
    await sample(database, tmp_path)
    # Who does not own the tables cannot bring the planner's figures up to date.
    dsn = acting(database, login) if login else database
    for month in (1, 2, 3):
        directory = write(tmp_path / f"month {month}", CUSTOMERS, EACH, month=month)
        assert await watched(dsn, directory, monkeypatch) < ROWS
        assert await watched(dsn, directory, monkeypatch) < ROWS  # all of it known already


async def test_the_planner_knows_at_once_how_large_the_tables_are(
    database: str, tmp_path: Path
) -> None:
    await import_directory(database, write(tmp_path / "ledger", 10, EACH))
    conn = await asyncpg.connect(database)
    try:
        query = "SELECT reltuples FROM pg_class WHERE oid = $1::text::regclass"
        tables = ("customers", "invoices", "payments", "kept_documents")
        assert [await conn.fetchval(query, table) for table in tables] == [10, 50, 50, 50]
    finally:
        await conn.close()
