"""Writes a file into its table: copies it into a staging table, checks it, then writes it."""

from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import asyncpg

from services.api.ledger.faults import Faults, quoted
from services.api.ledger.files import Column, LedgerFile
from services.api.ledger.rows import Rows
from shared.db.sql import load

_queries = load(__package__)

# The columns of each table that refer to another table.
REFERENCES = {
    "categories": {"business_id": "businesses"},
    "customers": {"business_id": "businesses", "category_id": "categories"},
    "invoices": {"business_id": "businesses", "customer_id": "customers"},
    "payments": {"business_id": "businesses", "invoice_id": "invoices"},
    "deposits": {"business_id": "businesses", "customer_id": "customers"},
}


@dataclass(frozen=True)
class Written:
    """The result of writing one file: the number of rows of each kind."""

    file: str
    inserted: int
    updated: int
    unchanged: int


@dataclass(frozen=True)
class Staged:
    """A file whose rows are in `staged_<table>`; each row by itself is valid."""

    file: LedgerFile
    columns: tuple[Column, ...]
    count: int
    warnings: tuple[str, ...]


async def stage(
    connection: asyncpg.Connection,
    file: LedgerFile,
    path: Path,
    faults: Faults,
    on_read: Callable[[int], object],
) -> Staged | None:
    """Copy the file at `path` into a staging table, and call `on_read` with the bytes read so far.

    Needs constant memory. Adds faults to `faults`, and returns None if the file cannot be staged.
    """
    try:
        stream = path.open("rb")
    except OSError as error:
        faults.add(file.name, 1, "file", f"cannot be read: {error.strerror}")
        return None
    with stream:
        rows = Rows(file, stream, faults)
        if not rows.columns:
            return None
        columns = tuple(rows.columns)
        types = ", ".join(f"{column.name} {column.kind.sql_type}" for column in columns)
        await connection.execute(_queries.create_staged.format(table=file.table, columns=types))
        await connection.copy_to_table(
            f"staged_{file.table}",
            source=_blocks(rows, stream, on_read),
            columns=["line", *(column.name for column in columns)],
            format="csv",
            delimiter=rows.separator,
        )
    await connection.execute(f"ANALYZE staged_{file.table}")
    return Staged(file, columns, rows.count, _warnings(file, rows))


def _warnings(file: LedgerFile, rows: Rows) -> tuple[str, ...]:
    return tuple(
        f"{file.name}: {column}: {len(lines)} of {rows.count} rows have a text that is no "
        f"e-mail address, nor a list of addresses, the first in line {lines[0]}"
        for column, lines in rows.doubts.items()
    )


async def _blocks(
    rows: Rows, stream: BinaryIO, on_read: Callable[[int], object]
) -> AsyncIterator[bytes]:
    for block in rows.blocks():
        on_read(stream.tell())
        yield block
    on_read(stream.tell())


async def find_repeated_keys(
    connection: asyncpg.Connection, staged: Staged, faults: Faults
) -> None:
    """Add a fault for each row whose key is in an earlier line of the same file, too."""
    file = staged.file
    query = _queries.repeated_keys.format(table=file.table, key=", ".join(file.key))
    for row in await connection.fetch(query, faults.limit):
        what = f"{row['id']} is in line {row['first_line']} already"
        faults.add(file.name, row["line"], "id", what)


async def find_unknown(connection: asyncpg.Connection, staged: Staged, faults: Faults) -> None:
    """Add a fault for each row that refers to a missing row; earlier files must be written."""
    file = staged.file
    found: list[asyncpg.Record] = []
    present = {column.name for column in staged.columns}
    for column, referents in REFERENCES.get(file.table, {}).items():
        if column in present:
            query = (
                _queries.unknown_businesses
                if referents == "businesses"
                else _queries.unknown_referents
            )
            query = query.format(table=file.table, column=column, referents=referents)
            found += await connection.fetch(query, faults.limit)
    for row in sorted(found, key=lambda row: int(row["line"])):
        faults.add(file.name, row["line"], row["column"], _lacking(row))


def _lacking(row: asyncpg.Record) -> str:
    if row["column"] == "business_id":
        return f"there is no business {row['missing']}"
    thing = row["column"].removesuffix("_id")
    return f"business {row['business_id']} has no {thing} {row['missing']}"


async def changed_businesses(connection: asyncpg.Connection, staged: Staged) -> list[str]:
    """Return a warning for each business whose name, owner or currency the import changes."""
    present = {column.name for column in staged.columns}
    if staged.file.table != "businesses" or not present >= {"name", "owner_id", "currency"}:
        return []
    return [
        f"{staged.file.name}: {row['line']}: business {row['id']} was {quoted(row['was'])} and "
        f"becomes {quoted(row['becomes'])}: if that is another business, give yours another id"
        for row in await connection.fetch(_queries.changed_businesses)
    ]


async def write(connection: asyncpg.Connection, staged: Staged) -> Written:
    """Insert new rows and update changed ones; columns that the file lacks keep their values."""
    file = staged.file
    names = [column.name for column in staged.columns]
    query = _queries.write_rows.format(
        table=file.table,
        key=", ".join(file.key),
        columns=", ".join(names),
        values=", ".join(_value(column) for column in staged.columns),
        stored=", ".join(f"stored.{name}" for name in names),
        assignments=", ".join(
            f"{name} = EXCLUDED.{name}" for name in names if name not in file.key
        ),
    )
    row = await connection.fetchrow(query, timeout=None)
    inserted, updated = (row["inserted"], row["updated"]) if row else (0, 0)
    if inserted or updated:
        # In the same transaction: otherwise the planner would join this table with its old,
        # smaller size, which takes quadratic time.
        await connection.execute(_queries.analyze.format(table=file.table))
    return Written(file.name, inserted, updated, staged.count - inserted - updated)


async def count_figures(connection: asyncpg.Connection, written: Iterable[Written]) -> None:
    """Count the documents that were inserted since the bulk load began, and end the load."""
    await connection.execute(_queries.end_bulk_load, timeout=None)
    if any(each.inserted or each.updated for each in written):
        await connection.execute(_queries.analyze_figures)


def _value(column: Column) -> str:
    name = f"staged.{column.name}"
    return f"coalesce({name}, {column.default})" if column.default else name
