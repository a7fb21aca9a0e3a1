"""The work of queueing due rows does not grow with the rows that are due later."""

import json
from datetime import timedelta

import asyncpg

from shared.deliveries import relay
from tests.shared.deliveries.conftest import submit
from tests.shared.deliveries.test_trigger_work import explained, nodes

_DUE, _ROOM, _LATER = 2_000, 500, 30_000
_ADD_LATER = """
INSERT INTO deliveries (id, send_id, business_id, position, email, email_key,
    due_at, expires_at, created_at, updated_at)
SELECT lpad(to_hex(n), 32, '0')::uuid, send_id, 1, 1, n || '@y.example', n || '@y.example',
    now() + interval '30 days', now() + interval '40 days', now(), now()
FROM (SELECT send_id FROM deliveries LIMIT 1) one, generate_series(1, $1::int) n"""


async def test_rows_that_are_due_later_are_not_read(conn: asyncpg.Connection) -> None:
    await submit(conn, [f"r{number}@x.example" for number in range(_DUE)])
    await conn.execute("SET session_replication_role = replica")
    # In the order of their ids, as the product gives them: a merge over all of them looks cheap.
    await conn.execute(_ADD_LATER, _LATER)
    await conn.execute("SET session_replication_role = origin")
    await conn.execute("VACUUM ANALYZE deliveries")
    # As the relay's sessions have it.
    await conn.execute("SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off")
    plans = await explained(conn)
    batch = await relay.enqueue(conn, _ROOM, timedelta(seconds=30))
    assert len(batch.queued) == _ROOM
    read = [
        node["Actual Rows"] * node["Actual Loops"]
        for plan in plans
        for node in nodes(json.loads(plan)["Plan"])
    ]
    assert _ROOM <= max(read) < 2 * _DUE
