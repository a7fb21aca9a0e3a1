"""What a pool of connections shows of itself."""

import asyncio

import pytest
from prometheus_client import CollectorRegistry

from shared.db import postgres
from shared.db.pool_metrics import PoolMetrics
from shared.process import sampling


async def test_connections_and_reconnects_are_counted(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sampling, "EVERY_S", 0.01)
    registry = CollectorRegistry()

    def figure(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(f"ledgerpost_database_{name}", {"pool": "test"} | labels)

    async def until(busy: int, idle: int) -> None:
        async with asyncio.timeout(180):
            while (
                figure("connections", state="in_use"),
                figure("connections", state="idle"),
            ) != (busy, idle):
                await asyncio.sleep(0.01)

    metrics = PoolMetrics(registry)
    async with postgres.pool(database, name="test", size=3, metrics=metrics) as pool:
        await until(0, 0)
        assert figure("connections_limit") == 3
        async with pool.acquire(), pool.acquire():
            await until(2, 0)
        await until(0, 2)
        async with pool.acquire() as conn:
            conn.terminate()
        await until(0, 1)
        async with pool.acquire(), pool.acquire():
            await until(2, 0)
        assert figure("connects_total", outcome="opened") == 3
        assert figure("connects_total", outcome="failed") is None


async def test_a_connection_that_cannot_be_opened_is_counted(database: str) -> None:
    registry = CollectorRegistry()
    away = database.rpartition("/")[0] + "/nowhere"
    async with postgres.pool(away, name="test", size=1, metrics=PoolMetrics(registry)) as pool:
        with pytest.raises(postgres.UNAVAILABLE):
            await pool.acquire()
    labels = {"pool": "test", "outcome": "failed"}
    assert registry.get_sample_value("ledgerpost_database_connects_total", labels) == 1
