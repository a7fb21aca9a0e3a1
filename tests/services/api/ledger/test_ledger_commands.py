import asyncio
from pathlib import Path

import asyncpg
import click
from click.testing import CliRunner, Result

from services.api.ledger.commands import import_, verify

GOLDEN = Path(__file__).parents[3] / "fixtures" / "golden"


async def run(command: click.Command, dsn: str, *arguments: str) -> Result:
    # A command runs a loop of its own, so it needs a thread of its own here.
    return await asyncio.to_thread(
        CliRunner().invoke, command, list(arguments), obj={"DATABASE_URL": dsn}
    )


async def tamper(dsn: str, *statements: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("SET session_replication_role = replica")
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def test_import_prints_a_line_per_file_and_no_bar(database: str) -> None:
    result = await run(import_, database, str(GOLDEN))
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[2] == "customers.csv: 8 inserted, 0 updated, 0 unchanged"
    assert result.stderr == ""


async def test_a_refused_import_exits_1_and_prints_to_stderr(database: str, tmp_path: Path) -> None:
    (tmp_path / "categories.csv").write_text("id,business_id,name\n2,1,A\nx,1,B\n")
    result = await run(import_, database, str(tmp_path))
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.splitlines() == [
        "categories.csv:3: id: 'x' is not a whole number",
        "nothing was imported",
    ]


async def test_verify_says_what_it_checked(database: str) -> None:
    await run(import_, database, str(GOLDEN))
    result = await run(verify, database)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert "ok      every business has its category 1" in lines
    assert all(line.startswith("ok ") for line in lines)


async def test_verify_finds_what_slipped_past_the_constraints(database: str) -> None:
    await run(import_, database, str(GOLDEN))
    await tamper(
        database,
        "DELETE FROM categories WHERE business_id = 2",
        "DELETE FROM customers WHERE business_id = 1 AND id = 7",
        "ALTER TABLE invoices DISABLE TRIGGER ALL",
        "ALTER TABLE deposits ADD CONSTRAINT later CHECK (amount < 1) NOT VALID",
    )
    result = await run(verify, database)
    assert result.exit_code == 1
    differences = [line.strip(" -") for line in result.stdout.splitlines() if "  - " in line]
    assert "2" in differences
    assert "invoices 12 of business 1: no customer_id 7" in differences
    assert "constraint later on deposits was never validated" in differences
    assert any(line.endswith("on invoices is switched off") for line in differences)
