"""Pages of the history of sends by each filter, in a short history and in a long one."""

import asyncio
import time
from statistics import median

import asyncpg

from bench import ledger
from services.api.core.parsing import parse
from services.api.sends import store
from services.api.sends.history import HistoryQuery

# Every send has a copy to the business's own address; the others differ by customer.
_OWN = "owner@kente.example"
_SENDS = """
SET session_replication_role = replica;
INSERT INTO sends (id, business_id, customer_id, date_from, date_to, copy_to_me, personal_message,
                   send_at, expires_at, created_at, status)
SELECT gen_random_uuid(), 1, 1 + n % 1000, '2024-11-01', '2024-11-30', true,
       'Thank you for your payment ' || n || repeat(' and the next one', 12), now(),
       now() + interval '1 day', now() - n * interval '1 minute', 'sent'
FROM generate_series(1, {sends}) n;
INSERT INTO deliveries (id, send_id, business_id, position, email, email_key, due_at, expires_at,
                        created_at, updated_at, state, sent_at)
SELECT gen_random_uuid(), s.id, 1, p, key, key, send_at, expires_at, created_at, created_at, 'sent',
       now()
FROM sends s, unnest(ARRAY['c' || customer_id || '@customer.example', '{own}'])
                  WITH ORDINALITY AS r (key, p);
"""
_FILTERS: dict[str, dict[str, str]] = {
    "none": {},
    "a recipient of every send": {"recipient": _OWN},
    "a recipient of every send, and a status of none": {"recipient": _OWN, "status": "failed"},
    "a text that every message has": {"q": "THANK YOU"},
    "a text that no message has": {"q": "no such text"},
    "a text that no message has, and a status of all": {"q": "no such text", "status": "sent"},
}


def run(url: str, few: int, many: int, *, rounds: int) -> dict[str, tuple[float, float]]:
    """Return the milliseconds of a page by each filter with few and with many sends: medians."""
    short, long = (_pages(url, sends, rounds) for sends in (few, many))
    return {name: (short[name], long[name]) for name in _FILTERS}


def _pages(url: str, sends: int, rounds: int) -> dict[str, float]:
    dsn = asyncio.run(ledger.create(url))
    try:
        asyncio.run(ledger.fill(dsn, customers=1_000, invoices=1_000))
        return asyncio.run(_measured(dsn, sends, rounds))
    finally:
        asyncio.run(ledger.drop(url, dsn))


async def _measured(dsn: str, sends: int, rounds: int) -> dict[str, float]:
    conn = await asyncpg.connect(dsn, command_timeout=None)
    try:
        await conn.execute(_SENDS.format(sends=sends, own=_OWN))
        await conn.execute("VACUUM ANALYZE sends, deliveries")
        return {name: await _median(conn, given, rounds) for name, given in _FILTERS.items()}
    finally:
        await conn.close()


async def _median(conn: asyncpg.Connection, given: dict[str, str], rounds: int) -> float:
    query, times = parse(HistoryQuery, given), []
    for _ in range(rounds):
        started = time.perf_counter()
        await store.page(conn, 1, query)
        times.append((time.perf_counter() - started) * 1000)
    return median(times)
