import platform
from collections.abc import Awaitable, Callable

import asyncpg

from tests.services.api.api_client import Api


async def test_a_process_that_answers_is_alive(reader: Api) -> None:
    answer = await reader.get("/health/live", key=None)
    assert (answer.status, answer.json) == (200, {"status": "ok"})


async def test_it_is_ready_where_postgres_has_every_migration(reader: Api) -> None:
    answer = await reader.get("/health/ready", key=None)
    assert (answer.status, answer.json) == (200, {"status": "ok", "checks": {"postgres": "ok"}})


async def test_a_pending_migration_is_named(
    database: str, serve: Callable[[str], Awaitable[Api]]
) -> None:
    conn = await asyncpg.connect(database)
    await conn.execute("DELETE FROM schema_migrations WHERE name = '0003_sends.sql'")
    await conn.close()
    answer = await (await serve(database)).get("/health/ready")
    assert answer.status == 503
    assert answer.json["checks"]["postgres"] == "migrations are pending: 0003_sends.sql"


async def test_metrics_are_open_and_in_prometheus_text(reader: Api) -> None:
    answer = await reader.get("/metrics", key=None)
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert "# TYPE ledgerpost_http_request_seconds histogram" in answer.text
    assert platform.python_version() not in answer.text
