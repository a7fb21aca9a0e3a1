"""Batches of schedules that wait for a day on which the daily quota has room."""

from typing import Final

import structlog

from services.api.batches.accept import admit
from services.api.core.outage import is_outage
from services.api.sends.terms import Terms
from shared.db import sql
from shared.db.postgres import Connection

_queries = sql.load("services.api.batches", "over_quota.sql")
_log = structlog.get_logger("ledgerpost.relay")
_MOST: Final = 10_000  # that are looked at in one round


async def admit_all(conn: Connection, terms: Terms) -> None:
    """Let each batch that waits be expanded if today has room.

    Those that wait longest come first. If one has no room, a smaller one of its business may. A
    batch that fails is logged, waits for the next round, and does not stop the others. Raises one
    of postgres.UNAVAILABLE if Postgres is away.
    """
    refused: dict[int, int] = {}
    for batch in await conn.fetch(_queries.waiting, _MOST):
        business, customers = batch["business_id"], batch["customers"]
        if customers >= refused.get(business, customers + 1):
            continue
        try:
            has_room = await admit(conn, batch["id"], terms)
        except Exception as error:
            if is_outage(error):
                raise
            _log.exception("batch_not_admitted", batch_id=str(batch["id"]), business_id=business)
            continue
        if has_room:
            _log.info("batch_has_room", batch_id=str(batch["id"]), business_id=business)
        else:
            refused[business] = customers


async def number_waiting(conn: Connection) -> int:
    """Return how many batches wait."""
    return int(await conn.fetchval(_queries.number_waiting))
