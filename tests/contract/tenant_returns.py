"""Returned mails of one business, in whose texts its word is."""

from uuid import UUID

import asyncpg

from shared.deliveries.states import State
from shared.returns.intake import Incoming, Match, take
from tests.shared.returns.mails import failure, report

_REPROCESSED = """
INSERT INTO reprocessed_returns (return_id, reprocessed_by, why, former_kind, effect)
    VALUES ($1, $2 || ' key', $2 || ' why', 'unknown', '{}')
"""


async def store(conn: asyncpg.Connection, business: int, word: str, delivery: UUID) -> list[UUID]:
    """Store a returned mail about a delivery, and one that matches none."""
    said = failure("5.2.2", f"552 5.2.2 {word} reply").replace("mx2.client", word)
    raw = report(said, says=f"{word} text")
    found = Match(delivery, business, "shared@x.example", State.DEFERRED, is_signed=True)
    recipient = f"{word}-bounce@x.example"
    stored = [
        (await take(conn, Incoming(raw, "api", recipient, business), match)).id
        for match in (found, None)
    ]
    await conn.execute(_REPROCESSED, stored[0], word)
    return stored
