"""Statements stay fast whatever the statistics say: they were taken when nothing was queued."""

import uuid

import asyncpg
import pytest

from shared.db import sql
from tests.shared.deliveries.conftest import LEASE, submit

_RELAY = sql.load("shared.deliveries", "relay.sql")
_WORKER = sql.load("shared.deliveries", "worker.sql")
IDS = [uuid.uuid4() for _ in range(20)]
TOKENS = [1] * 20
BY_ID = {
    "claim": (IDS, LEASE),
    "confirm": (IDS,),
    "gate": (IDS, TOKENS, LEASE),
    "renew": (IDS, TOKENS, LEASE),
    "record": (
        *(IDS, TOKENS, ["sent"] * 20, [LEASE] * 20, [True] * 20),
        *(["250 ok"] * 20, [None] * 20, [None] * 20, [False] * 20),
    ),
}


@pytest.fixture
async def history(conn: asyncpg.Connection) -> asyncpg.Connection:
    """Ten thousand sends that went out, and as many scheduled ones, all of them analysed."""
    await conn.execute("SET session_replication_role = replica")
    (delivery,) = await submit(conn, ["a@x.example"])
    await conn.execute(
        "INSERT INTO sends SELECT gen_random_uuid(), 1, 4, '2024-11-01', '2024-11-30', NULL, false,"
        " '[]', now(), now() + interval '3 days', now(),"
        " CASE WHEN n > 9999 THEN statement_sha256 END"
        " FROM sends, generate_series(0, 19999) n"
    )
    await conn.execute(
        "INSERT INTO deliveries (id, send_id, business_id, position, email, email_key, due_at,"
        " expires_at, created_at, updated_at, state, sent_at)"
        " SELECT gen_random_uuid(), s.id, 1, 1, 'a', 'a',"
        " CASE WHEN s.statement_sha256 IS NULL THEN now() + interval '1 day' ELSE now() END,"
        " s.expires_at, now(), now(),"
        " CASE WHEN s.statement_sha256 IS NULL THEN 'scheduled' ELSE 'sent' END,"
        " CASE WHEN s.statement_sha256 IS NOT NULL THEN now() END FROM sends s"
        " WHERE NOT EXISTS (SELECT FROM deliveries WHERE id = $1 AND send_id = s.id)",
        delivery,
    )
    await conn.execute("VACUUM ANALYZE sends, deliveries")
    return conn


async def plan(conn: asyncpg.Connection, name: str, *given: object) -> str:
    text = getattr(_RELAY if name in _RELAY._texts else _WORKER, name)
    rows = await conn.fetch(f"EXPLAIN {sql.numbered(text)[0]}", *given)
    return "\n".join(row[0] for row in rows)


async def test_named_rows_are_found_by_their_ids(history: asyncpg.Connection) -> None:
    for mode in ("force_custom_plan", "force_generic_plan"):
        await history.execute(f"SET plan_cache_mode = {mode}")
        for name, given in BY_ID.items():
            found = await plan(history, name, *given)
            assert "Seq Scan on deliveries" not in found, name
            for partial in ("deliveries_held", "deliveries_queued_expiry", "deliveries_in_doubt"):
                assert partial not in found, name


async def test_due_rows_are_read_in_the_order_in_which_they_are_due(
    history: asyncpg.Connection,
) -> None:
    for found in (await plan(history, "enqueue", 50, LEASE), await plan(history, "unfrozen", 50)):
        assert "Index Scan using deliveries_due" in found
        assert "Seq Scan on sends" not in found
        assert "sends_by_statement" not in found
