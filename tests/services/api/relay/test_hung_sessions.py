from datetime import timedelta

import pytest

from services.api.relay import hung_sessions
from shared.db import postgres
from tests.roles import acting

_LOCK = "SELECT pg_try_advisory_lock(282946740)"


async def test_a_relay_that_hangs_inside_a_statement_keeps_no_lock(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A prepared statement that is not run yet is not idle, so no limit of Postgres ends it."""
    as_relay = acting(database, "relay")
    async with (
        postgres.pool(as_relay, name="ledgerpost-relay", size=1, idle="10s") as frozen,
        postgres.pool(as_relay, name="ledgerpost-relay", size=1, idle="10s") as other,
    ):
        hung, alive = await frozen.acquire(), await other.acquire()
        await hung.execute("BEGIN")
        assert await hung.fetchval("SELECT pg_try_advisory_xact_lock(282946740)")
        await hung.prepare("SELECT 1")  # what asyncpg does before it runs a statement
        assert not await alive.fetchval(_LOCK)
        assert await hung_sessions.end_hung(alive) == 0  # it may be about to go on
        monkeypatch.setattr(hung_sessions, "HUNG_AFTER", timedelta(0))
        while await hung_sessions.end_hung(alive) == 0:
            pass  # Postgres has not begun to wait
        while not await alive.fetchval(_LOCK):
            pass


async def test_sessions_of_others_and_idle_ones_stay(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hung_sessions, "HUNG_AFTER", timedelta(0))
    as_relay, as_api = acting(database, "relay"), acting(database, "api")
    async with (
        postgres.pool(as_relay, name="ledgerpost-relay", size=2) as relays,
        postgres.pool(as_relay, name="somebody", size=1) as somebody,
        postgres.pool(as_api, name="ledgerpost-relay", size=1) as api,
        relays.acquire() as alive,
        relays.acquire() as idle,
        somebody.acquire() as else_named,
        api.acquire() as of_api,
    ):
        assert await idle.fetchval("SELECT 1") == 1
        await else_named.prepare("SELECT 1")
        await of_api.prepare("SELECT 1")
        assert await hung_sessions.end_hung(alive) == 0
        for conn in (idle, else_named, of_api):
            assert await conn.fetchval("SELECT 2") == 2
