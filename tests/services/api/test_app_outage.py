from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg

from tests.services.api.api_client import NOVEMBER, REPORTS, Api
from tests.services.api.ledgers import new_key
from tests.services.api.tcp_proxy import between

ONE = f"{REPORTS}/client/4/{NOVEMBER}"


async def test_postgres_goes_and_comes_back_without_a_restart(
    readable: str,
    serve: Callable[[str], Awaitable[Api]],
    logged: Callable[[], list[dict[str, Any]]],
) -> None:
    async with between(readable) as postgres:
        api = await serve(postgres.dsn)
        api.key = await new_key(readable)
        assert (await api.get(ONE)).status == 200

        await postgres.cut()
        for path in (ONE, f"{REPORTS}/{NOVEMBER}", "/api/v3/sends"):
            away = await api.get(path)
            assert away.status == 503, away.text
            assert int(away.headers["Retry-After"]) > 0
            assert away.json["type"] == "/problems/unavailable"
            assert "127.0.0.1" not in away.text
        ready = await api.get("/health/ready")
        assert ready.status == 503
        assert ready.json["checks"]["postgres"] != "ok"
        assert (await api.get("/health/live")).status == 200
        # A mistyped key is refused all the same: that needs no query.
        assert (await api.get(ONE, key="ledgerpost_mistyped")).status == 401

        await postgres.open()
        assert (await api.get(ONE)).status == 200
        assert (await api.get("/health/ready")).status == 200
    events = [each["event"] for each in logged()]
    assert [each for each in events if each.startswith("database_unavailable")] == [
        "database_unavailable",
        "database_unavailable_over",
    ]
    assert "request_failed" not in events


async def test_a_transaction_that_had_to_give_in_can_be_repeated(
    readable: str,
    serve: Callable[[str], Awaitable[Api]],
    logged: Callable[[], list[dict[str, Any]]],
) -> None:
    api = await serve(readable)
    api.key = await new_key(readable)
    conn = await asyncpg.connect(readable)
    try:
        for code in ("40001", "40P01", "55P03"):
            await conn.execute(f"""
                CREATE OR REPLACE FUNCTION give_in() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN RAISE EXCEPTION 'row 4711' USING ERRCODE = '{code}'; END $$;
                CREATE OR REPLACE TRIGGER give_in BEFORE INSERT ON suppressions
                EXECUTE FUNCTION give_in()
            """)
            lost = await api.post("/api/v3/suppressions", json={"email": "a@x.example"})
            assert lost.status == 503, lost.text
            assert lost.json["type"] == "/problems/unavailable"
            assert lost.headers["Retry-After"] == "1"
            assert "4711" not in lost.text
        await conn.execute("DROP TRIGGER give_in ON suppressions")
    finally:
        await conn.close()
    kept = await api.post("/api/v3/suppressions", json={"email": "a@x.example"})
    assert kept.status == 201
    assert not [each for each in logged() if each["event"] == "request_failed"]


async def test_it_starts_while_postgres_is_away(
    readable: str, serve: Callable[[str], Awaitable[Api]]
) -> None:
    async with between(readable) as postgres:
        await postgres.cut()
        api = await serve(postgres.dsn)
        api.key = await new_key(readable)
        assert (await api.get(ONE)).status == 503
        await postgres.open()
        assert (await api.get(ONE)).status == 200
