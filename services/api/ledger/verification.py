"""`verify`: what must be true of the ledger, proved against its base tables in one snapshot."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import asyncpg

from services.api.ledger.files import FILES
from services.api.ledger.kinds import TIMEZONE
from services.api.ledger.staging import REFERENCES
from shared.db.sql import load

_queries = load(__package__)

# By what is proved: the query that finds what differs. Each rests on the one before it.
_KEPT = {
    "every document's kept figures are those of the ledger": "documents_kept_wrong",
    "every kept sum of a month or year is that of its documents": "periods_kept_wrong",
    "every kept sum of all time is that of its documents and deposits": "totals_kept_wrong",
}
_MENDING = ("documents", "periods", "totals")
_LIMIT = 1000  # differences shown of each proof


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
        for statement, query in _KEPT.items():
            rows = await connection.fetch(getattr(_queries, query), _LIMIT, timeout=None)
            yield _proof(statement, rows)
        tables = [*(file.table for file in FILES), "kept_documents"]
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


async def mend(connection: asyncpg.Connection) -> AsyncIterator[tuple[str, int]]:
    """Set the kept figures right and yield of which kind and how many; writers may go on."""
    for kind in _MENDING:
        count = await connection.fetchval(getattr(_queries, f"mend_{kind}"), timeout=None)
        yield kind, count


def _proof(statement: str, rows: list[asyncpg.Record]) -> Proof:
    return Proof(statement, tuple(row["what"] for row in rows))


def _orphans(table: str, column: str, referents: str) -> str:
    match = f"referent.id = child.{column}"
    if referents != "businesses":
        match += " AND referent.business_id = child.business_id"
    return _queries.orphans.format(table=table, column=column, referents=referents, match=match)
