"""`verify` and `rebuild`: checks the ledger and its kept figures against the base tables."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import asyncpg

from services.api.ledger.files import FILES
from services.api.ledger.kinds import TIMEZONE
from services.api.ledger.staging import REFERENCES
from shared.db.sql import filled, load

_queries = load(__package__)

# Each check with the query that finds its differences. Each one relies on the one before it.
_KEPT = {
    "every document's kept figures are those of the ledger": "documents_kept_wrong",
    "every kept sum of a period is that of its documents": "periods_kept_wrong",
    "every kept sum of all time is that of its documents and deposits": "totals_kept_wrong",
    "every kept open part is that of its document": "open_parts_kept_wrong",
}
_MENDING = ("documents", "periods", "totals", "open_parts")
_DIFFERENCES_MAX = 1000  # differences that are shown for each check


@dataclass(frozen=True)
class Proof:
    """One check, and the differences that it found."""

    statement: str
    differences: tuple[str, ...]


async def prove(connection: asyncpg.Connection) -> AsyncIterator[Proof]:
    """Yield the result of each check, all in the same snapshot; takes no locks."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        rows = await connection.fetch(_queries.businesses_without_uncategorised)
        yield _proof("every business has its category 1", rows)
        for table, references in REFERENCES.items():
            for column, referents in references.items():
                rows = await connection.fetch(_orphans(table, column, referents))
                yield _proof(f"every {column} in {table} is one of {referents}", rows)
        for statement, query in _KEPT.items():
            every = filled(getattr(_queries, query), only="")
            rows = await connection.fetch(every, _DIFFERENCES_MAX, timeout=None)
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


async def sample(connection: asyncpg.Connection, most: int) -> tuple[int, list[Proof]]:
    """Check the kept figures of at most so many businesses, which are chosen by chance.

    Returns the number of businesses, and the result of each check.
    """
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        chosen = [row["id"] for row in await connection.fetch(_queries.some_businesses, most)]
        proofs = []
        for statement, query in _KEPT.items():
            some = filled(getattr(_queries, query), only="WHERE business_id = ANY ($2::bigint[])")
            rows = await connection.fetch(some, _DIFFERENCES_MAX, chosen)
            proofs.append(_proof(statement, rows))
    return len(chosen), proofs


async def mend(connection: asyncpg.Connection) -> AsyncIterator[tuple[str, int]]:
    """Correct the kept figures, and yield each kind with its count. Writers may go on."""
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
