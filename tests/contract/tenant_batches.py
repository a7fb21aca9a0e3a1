"""Batches of a business in the walk: one that waits for its day, one with a send; and a list."""

from uuid import UUID

import asyncpg

from services.api.batches.accept import accept
from services.api.batches.dry_run import dry_run
from services.api.batches.estimate import Rates
from services.api.batches.request import BatchBody, BatchRequest
from services.api.core.parsing import parse
from services.api.sends.terms import Terms
from shared.period import Period

_MADE = """
WITH batch AS (
    UPDATE batches SET phase = 'sending', reason = $3 || ' reason', reason_code = 'unclassified'
    WHERE id = $1
), skipped AS (
    UPDATE batch_customers SET reason = $3 || ' reason', reason_code = 'no_address',
                               recipients = ARRAY[$3 || '@x.example']
    WHERE batch_id = $1 AND customer_id <> 1
), made AS (
    UPDATE batch_customers SET send_id = $2 WHERE batch_id = $1 AND customer_id = 1
), mails AS (
    UPDATE deliveries SET batch_id = $1 WHERE send_id = $2
)
UPDATE sends SET batch_id = $1 WHERE id = $2
"""
_TOLD = "UPDATE business_events SET reason = $2 || ' reason' WHERE business_id = $1"


async def store(
    conn: asyncpg.Connection, business: int, word: str, period: Period, terms: Terms, send: UUID
) -> list[UUID]:
    """Store both batches, of the second of which `send` is a send, and return their ids."""
    found = []
    for at in ("2030-01-01", None):
        body = {
            "filter": {"q": word},
            "message": f"{word} message",
            "other_emails": [f"{word}-other@x.example"],
            "send_at": at,
        }
        asked = BatchRequest.of(period, parse(BatchBody, body))
        found.append((await accept(conn, business, asked, terms)).id)
    await conn.execute(_MADE, found[1], send, word)
    await conn.execute(_TOLD, business, word)
    return found


async def frozen(
    conn: asyncpg.Connection, business: int, word: str, period: Period, terms: Terms
) -> UUID:
    """Store a frozen list of all customers, and return its id."""
    body = {"other_emails": [f"{word}-other@x.example"], "skip_empty": False}
    asked = BatchRequest.of(period, parse(BatchBody, body))
    shown = await dry_run(conn, business, asked, terms, Rates(None, None, 10))
    assert shown.frozen_list is not None
    return shown.frozen_list.id
