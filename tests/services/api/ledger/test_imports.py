import asyncio
import csv
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from services.api.ledger.faults import ImportRefused
from services.api.ledger.files import FILES
from services.api.ledger.imports import import_directory
from shared.db.migrate import MigrationError

GOLDEN = Path(__file__).parents[3] / "fixtures" / "golden"

WAITING = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


async def contents(dsn: str) -> dict[str, list[tuple[Any, ...]]]:
    connection = await asyncpg.connect(dsn)
    try:
        return {
            file.table: [
                tuple(row.values())
                for row in await connection.fetch(
                    f"SELECT ctid::text, xmin::text, * FROM {file.table} ORDER BY ctid"
                )
            ]
            for file in FILES
        }
    finally:
        await connection.close()


async def fetch(dsn: str, query: str) -> list[tuple[Any, ...]]:
    connection = await asyncpg.connect(dsn)
    try:
        return [tuple(row.values()) for row in await connection.fetch(query)]
    finally:
        await connection.close()


async def execute(dsn: str, query: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(query)
    finally:
        await connection.close()


async def test_the_golden_ledger_arrives_as_it_stands(database: str) -> None:
    summary = await import_directory(database, GOLDEN)
    counts = {file.file: (file.inserted, file.updated, file.unchanged) for file in summary.files}
    assert counts == {
        "businesses.csv": (2, 0, 0),
        "categories.csv": (1, 0, 0),
        "customers.csv": (8, 0, 0),
        "invoices.csv": (13, 0, 0),
        "payments.csv": (14, 0, 0),
        "deposits.csv": (3, 0, 0),
    }
    assert summary.warnings == ()
    null_and_empty = await fetch(
        database,
        "SELECT first_name, business_email FROM customers"
        " WHERE business_id = 1 AND id <= 2 ORDER BY id",
    )
    assert null_and_empty == [(None, None), ("", "")]
    name = "SELECT business_name FROM customers WHERE business_id = 1 AND id = 4"
    assert await fetch(database, name) == [("Ɛsi Ɔfori Enterprise, Ltd",)]


async def test_importing_it_again_touches_no_row(database: str) -> None:
    await import_directory(database, GOLDEN)
    before = await contents(database)
    summary = await import_directory(database, GOLDEN)
    assert [(file.inserted, file.updated) for file in summary.files] == [(0, 0)] * 6
    assert await contents(database) == before


async def test_a_known_row_is_updated_and_a_new_one_added(database: str, tmp_path: Path) -> None:
    await import_directory(database, GOLDEN)
    (tmp_path / "invoices.csv").write_text(
        "total,id,business_id,customer_id,number,kind,status,issue_date\n"
        "1234.56,1,2,4,INV1,invoice,issued,2024-11-15\n"
        "7,1,1,4,INV1,invoice,void,2024-11-01\n"
        "8,99,1,4,INV99,invoice,issued,2024-11-01\n"
    )
    (written,) = (await import_directory(database, tmp_path)).files
    assert (written.inserted, written.updated, written.unchanged) == (1, 1, 1)
    rows = await fetch(
        database,
        "SELECT business_id, id, status, total::text, due_date::text FROM invoices"
        " WHERE id IN (1, 99) ORDER BY 1, 2",
    )
    assert rows == [
        (1, 1, "void", "7", "2024-11-15"),  # a column the file lacks stays as it is
        (1, 99, "issued", "8", None),
        (2, 1, "issued", "1234.56", "2024-12-15"),
    ]


async def test_what_is_left_out_takes_its_default(database: str, tmp_path: Path) -> None:
    await import_directory(database, GOLDEN)
    times = "2024-01-01 00:00:00,2024-02-29 23:59:59.5"
    (tmp_path / "customers.csv").write_text(
        f"id,business_id,owner_id,created_at,updated_at\n50,1,1,{times}\n"
    )
    await import_directory(database, tmp_path)
    (tmp_path / "customers.csv").write_text(
        "id,business_id,owner_id,opening_balance,archived,created_at,updated_at\n"
        f"51,1,1,,,{times}\n7,1,1,,,{times}\n"
    )
    await import_directory(database, tmp_path)
    rows = await fetch(
        database,
        "SELECT opening_balance::text, archived, category_id, first_name, updated_at::text"
        " FROM customers WHERE business_id = 1 AND id IN (7, 50, 51)",
    )
    assert rows == [("0", 0, None, None, "2024-02-29 23:59:59.5")] * 3


async def test_every_business_has_category_1_which_may_be_renamed(
    database: str, tmp_path: Path
) -> None:
    (tmp_path / "businesses.csv").write_text(
        "id,owner_id,name,currency,timezone\n1,1,A,GHS,Africa/Accra\n2,1,B,EUR,Europe/Berlin\n"
    )
    (tmp_path / "categories.csv").write_text("id,business_id,name\n1,2,Ohne\n")
    await import_directory(database, tmp_path)
    rows = await fetch(database, "SELECT business_id, id, name FROM categories ORDER BY 1")
    assert rows == [(1, 1, "Uncategorised"), (2, 1, "Ohne")]


async def test_one_bad_row_at_the_very_end_undoes_everything(database: str, tmp_path: Path) -> None:
    for file in GOLDEN.glob("*.csv"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    with (tmp_path / "deposits.csv").open("a") as deposits:
        deposits.write("4,2,7,2024-01-01,1,credit\n")
    with pytest.raises(ImportRefused, match=r"deposits\.csv:5: customer_id: business 2 has no"):
        await import_directory(database, tmp_path)
    assert set(map(len, (await contents(database)).values())) == {0}


async def test_byte_order_mark_line_ends_and_quotes_everywhere(
    database: str, tmp_path: Path
) -> None:
    await import_directory(database, GOLDEN)
    before = await contents(database)
    for file in GOLDEN.glob("*.csv"):
        lines = list(csv.reader(file.read_text("utf-8").splitlines()))
        raw = file.read_text("utf-8").splitlines()
        quoted = [
            # A value that is not there stays unquoted, and "" is what it was.
            ",".join(
                f'"{value}"' if value or empty else ""
                for value, empty in zip(values, _is_empty_text(line), strict=True)
            )
            for values, line in zip(lines, raw, strict=True)
        ]
        (tmp_path / file.name).write_text("\ufeff" + "\r\n".join(quoted), "utf-8", newline="")
    summary = await import_directory(database, tmp_path)
    assert [(file.inserted, file.updated) for file in summary.files] == [(0, 0)] * 6
    assert await contents(database) == before


def _is_empty_text(line: str) -> list[bool]:
    # Golden text holds commas inside quotes only where a name or an address has one.
    marked = line.replace('""', "EMPTY")
    return [value == "EMPTY" for value in next(csv.reader([marked]))]


async def test_a_file_of_another_name_is_refused_unless_told_otherwise(
    database: str, tmp_path: Path
) -> None:
    header = "id,business_id,name\n"
    for name in ("categories.csv", "Customer.csv", "kunden.csv", "README.md"):
        (tmp_path / name).write_text(header)
    with pytest.raises(ImportRefused) as refused:
        await import_directory(database, tmp_path)
    misspelt, strange = refused.value.errors
    assert misspelt.startswith("'Customer.csv': not a file of the ledger; did you mean customers")
    assert strange.startswith("'kunden.csv': not a file of the ledger; its files are")
    summary = await import_directory(database, tmp_path, ignore_unknown=True)
    assert [file.file for file in summary.files] == ["categories.csv"]


async def test_a_refusal_of_the_database_is_one_line(database: str, tmp_path: Path) -> None:
    await import_directory(database, GOLDEN)
    await execute(
        database,
        "ALTER TABLE invoices ADD CONSTRAINT small_invoices CHECK (total < 10000) NOT VALID",
    )
    (tmp_path / "invoices.csv").write_text(
        "id,business_id,customer_id,number,kind,status,issue_date,total\n"
        "77,1,4,A,invoice,issued,2024-01-01,10000\n"
    )
    with pytest.raises(ImportRefused) as refused:
        await import_directory(database, tmp_path)
    (error,) = refused.value.errors
    assert error.startswith("invoices.csv: ")
    assert "small_invoices" in error
    assert "\n" not in error


async def test_imports_wait_for_each_other(database: str, tmp_path: Path) -> None:
    await import_directory(database, GOLDEN)
    header = "id,business_id,name\n"
    for name, numbers in (("up", range(100, 3000)), ("down", range(2999, 99, -1))):
        (tmp_path / name).mkdir()
        rows = "".join(f"{number},1,{name}\n" for number in numbers)
        (tmp_path / name / "categories.csv").write_text(header + rows)
    summaries = await asyncio.gather(
        *(import_directory(database, tmp_path / name) for name in ("up", "down", "up", "down"))
    )
    files = [summary.files[0] for summary in summaries]
    assert sum(file.inserted for file in files) == 2900
    assert {file.inserted + file.updated + file.unchanged for file in files} == {2900}
    names = await fetch(database, "SELECT DISTINCT name FROM categories WHERE id >= 100")
    assert len(names) == 1


async def test_rows_written_by_others_meanwhile_are_no_error(database: str, tmp_path: Path) -> None:
    await import_directory(database, GOLDEN)
    (tmp_path / "categories.csv").write_text("id,business_id,name\n50,1,theirs\n51,1,mine\n")
    other = await asyncpg.connect(database)
    try:
        transaction = other.transaction()
        await transaction.start()
        await other.execute("INSERT INTO categories VALUES (50, 1, 'other')")
        importing = asyncio.create_task(import_directory(database, tmp_path))
        async with asyncio.timeout(180):
            # Asked on a connection of its own: a transaction sees these figures as at first.
            while not (await fetch(database, WAITING))[0][0]:
                await asyncio.sleep(0.01)
        await transaction.commit()
    finally:
        await other.close()
    await importing
    rows = await fetch(database, "SELECT id, name FROM categories WHERE id >= 50 ORDER BY id")
    assert rows == [(50, "theirs"), (51, "mine")]


async def test_a_database_that_was_never_migrated_is_refused(database: str) -> None:
    await execute(database, "DELETE FROM schema_migrations WHERE name LIKE '0003%'")
    with pytest.raises(MigrationError, match="migrate"):
        await import_directory(database, GOLDEN)
