"""The answers to requests over the queue, stored for subscribers and for copies of the requests."""

from dataclasses import dataclass

from services.api.intake.queue_answer import QueueAnswer
from shared.db import sql
from shared.db.postgres import Connection

_queries = sql.load("services.api.intake")


@dataclass(frozen=True)
class Earlier:
    """The stored answer to an accepted request, and the digest of what it asked for."""

    event: str
    fingerprint: bytes


async def earlier(conn: Connection, event_id: str) -> Earlier | None:
    """Return the answer with this id to an accepted request, or None.

    Waits for other copies of the request, and lets them wait until the transaction ends: otherwise
    a copy could be refused because the first one has just used up the quota.
    """
    await conn.execute(_queries.wait_for_copies, event_id)
    row = await conn.fetchrow(_queries.stored_answer, event_id)
    return None if row is None else Earlier(row["event"], row["fingerprint"])


async def add(conn: Connection, answer: QueueAnswer, fingerprint: bytes | None = None) -> bool:
    """Store an answer, with the digest of its request if it is accepted.

    Returns False, and stores nothing, if there is one with the same id.
    """
    query = sql.call(
        _queries.store_answer,
        event_id=answer.event_id,
        business=answer.business_id,
        send=answer.send_id,
        batch=answer.batch_id,
        fingerprint=fingerprint,
        event=answer.event,
        trace=str(answer.trace),
    )
    return await conn.fetchval(*query) is not None
