from datetime import timedelta
from uuid import UUID

import asyncpg

from services.api.access import sessions, store
from services.api.access.model import Key
from services.api.relay.pruner import Pruner
from shared.db import postgres
from tests.roles import acting
from tests.services.api.ledgers import new_key


async def test_sessions_go_once_they_have_expired(golden: str) -> None:
    key = Key.parse(await new_key(golden))
    assert key is not None
    conn = await asyncpg.connect(golden)
    holder = await store.principal(conn, key.sha256)
    assert holder is not None
    ended, current = await _session(conn, holder.key_id), await _session(conn, holder.key_id)
    await conn.execute(
        "UPDATE sessions SET created_at = now() - interval '13 h',"
        " expires_at = now() - interval '1 h' WHERE sha256 = $1",
        ended,
    )
    async with postgres.pool(acting(golden, "relay"), name="test", size=2) as pool:
        await Pruner(
            pool, history=timedelta(days=400), events=timedelta(days=30), returns=timedelta(days=30)
        ).step()
    assert await conn.fetchval("SELECT array_agg(sha256) FROM sessions") == [current]
    await conn.close()


async def _session(conn: asyncpg.Connection, key_id: UUID) -> bytes:
    return (await sessions.begin(conn, key_id)).sha256
