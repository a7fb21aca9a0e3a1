"""The work of triggers for each row does not grow with the number of rows."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import asyncpg

from tests.shared.deliveries.conftest import submit

_MANY = 300
_CANCEL = "UPDATE deliveries SET state = 'cancelled' WHERE id = ANY($1::uuid[])"


async def test_a_session_that_began_with_one_row_compares_many_once_each(
    conn: asyncpg.Connection,
) -> None:
    one, many = await submit(conn, ["a@x.example"]), await _submit_many(conn)
    await conn.execute(_CANCEL, one)
    plans = await explained(conn)
    await conn.execute(_CANCEL, many)
    read = sum(
        node["Actual Rows"] * node["Actual Loops"] + node.get("Rows Removed by Join Filter", 0)
        for plan in plans
        for node in nodes(json.loads(plan)["Plan"])
        if node["Node Type"] == "Named Tuplestore Scan" or "Join" in node["Node Type"]
    )
    assert 0 < read < 10 * _MANY
    assert await conn.fetchval("SELECT count(*) FROM sends WHERE status = 'cancelled'") == 2
    events = "SELECT count(*) FROM delivery_events WHERE state = 'cancelled'"
    assert await conn.fetchval(events) == _MANY + 1


async def _submit_many(conn: asyncpg.Connection) -> list[UUID]:
    return await submit(conn, [f"r{number}@x.example" for number in range(_MANY)])


async def explained(conn: asyncpg.Connection) -> list[str]:
    """Return a list to which each statement from now on adds how it was carried out, as JSON."""
    plans: list[str] = []

    def told(_: object, message: asyncpg.PostgresLogMessage) -> None:
        plans.append(message.message.partition("plan:\n")[2])

    conn.add_log_listener(told)
    await conn.execute(
        "LOAD 'auto_explain'; SET auto_explain.log_min_duration = 0;"
        " SET auto_explain.log_analyze = on; SET auto_explain.log_nested_statements = on;"
        " SET auto_explain.log_format = json; SET auto_explain.log_level = notice"
    )
    plans.clear()
    return plans


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes(child)
