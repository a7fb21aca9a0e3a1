"""`verify`: what must be true of the ledger, proved against its base tables in one snapshot."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import asyncpg

from services.api.ledger.files import FILES
from services.api.ledger.kinds import TIMEZONE
from services.api.ledger.staging import REFERENCES
from shared.sql import load

_queries = load(__package__)


@dataclass(frozen=True)
class Proof:
    """One thing that was checked, and how the ledger differs from it."""

    statement: str
    differences: tuple[str, ...]


async def prove(connection: asyncpg.Connection) -> AsyncIterator[Proof]:
    """Yield each proof as it is made, all of them on the same snapshot; takes no locks."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        rows = await connection.fetch(_queries.businesses_without_uncategorised)
        yield _proof("every business has its category 1", rows)
        for table, references in REFERENCES.items():
            for column, referents in references.items():
                rows = await connection.fetch(_orphans(table, column, referents))
                yield _proof(f"every {column} in {table} is one of {referents}", rows)
        tables = [file.table for file in FILES]
        rows = await connection.fetch(_queries.guards_switched_off, tables)
        yield _proof("every trigger and constraint of the ledger is in force", rows)
        rows = await connection.fetch(_queries.timezones)
        yield Proof(
            "every time zone is known to this installation",
            tuple(
                f"business {row['business_id']}: {row['timezone']}"
                for row in rows
                if TIMEZONE.complaint(row["timezone"])
            ),
        )


def _proof(statement: str, rows: list[asyncpg.Record]) -> Proof:
    return Proof(statement, tuple(row["what"] for row in rows))


def _orphans(table: str, column: str, referents: str) -> str:
    match = f"referent.id = child.{column}"
    if referents != "businesses":
        match += " AND referent.business_id = child.business_id"
    return _queries.orphans.format(table=table, column=column, referents=referents, match=match)
