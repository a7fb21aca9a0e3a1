"""Dry runs and batches beneath HTTP, and what came of a batch."""

from typing import Any
from uuid import UUID

import asyncpg

from services.api.batches.accept import accept
from services.api.batches.dry_run import dry_run
from services.api.batches.estimate import Rates
from services.api.batches.expand import expand, take
from services.api.batches.planned import DryRun
from services.api.sends.terms import Terms
from tests.services.api.batches.requests import TERMS, wanted

RATES = Rates(None, None, 10)


async def tried(
    conn: asyncpg.Connection, business: int = 1, terms: Terms = TERMS, **body: Any
) -> DryRun:
    return await dry_run(conn, business, wanted(**body), terms, RATES)


async def frozen(conn: asyncpg.Connection, business: int = 1, **body: Any) -> str:
    """The frozen list of a dry run."""
    shown = await tried(conn, business, **body)
    assert shown.frozen_list is not None
    return str(shown.frozen_list.id)


async def lists(conn: asyncpg.Connection, business: int = 1) -> list[str]:
    """The frozen lists of a business, the oldest first."""
    rows = await conn.fetch(
        "SELECT id FROM frozen_lists WHERE business_id = $1 ORDER BY created_at, id", business
    )
    return [str(row["id"]) for row in rows]


async def carried_out(
    conn: asyncpg.Connection, business: int = 1, terms: Terms = TERMS, **body: Any
) -> UUID:
    """Accept a batch, and expand it and all others."""
    batch = await accept(conn, business, wanted(**body), terms)
    await expand_all(conn, terms)
    return batch.id


async def expand_all(conn: asyncpg.Connection, terms: Terms = TERMS) -> None:
    """Make the sends of every batch that is due, as the relay does."""
    while await _step(conn, terms):
        pass


async def _step(conn: asyncpg.Connection, terms: Terms) -> bool:
    async with conn.transaction():
        taken = await take(conn, -1)
        if taken is not None:
            await expand(conn, taken, terms)
        return taken is not None


async def mailed(conn: asyncpg.Connection, batch: UUID) -> dict[int, list[str]]:
    """The addresses of each customer that a batch mails, in order."""
    rows = await conn.fetch(
        "SELECT customer_id, array_agg(d.email ORDER BY d.position) FROM sends s"
        " JOIN deliveries d ON d.send_id = s.id WHERE s.batch_id = $1 GROUP BY 1",
        batch,
    )
    return dict(map(tuple, rows))


def planned_mails(shown: DryRun) -> dict[int, list[str]]:
    return {each.customer_id: list(each.recipients) for each in shown.data if not each.reason_code}


def planned_skips(shown: DryRun) -> dict[int, str]:
    return {each.customer_id: each.reason_code for each in shown.data if each.reason_code}
