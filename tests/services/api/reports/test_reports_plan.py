"""One customer's report looks at that customer's rows, however many the others have."""

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import asyncpg
import pytest

from services.api.reports.query import one_customer
from tests.services.api.ledgers import load_large


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", []):
        yield from nodes(below)


@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
async def test_one_customer_s_report_touches_no_other_customer(database: str, mode: str) -> None:
    await load_large(database, customers=2000, each=10)
    conn = await asyncpg.connect(database)
    await conn.execute(f"SET plan_cache_mode = {mode}")
    await conn.execute(f"PREPARE report (bigint, date, date, bigint) AS {one_customer()}")
    answer = await conn.fetchval(
        "EXPLAIN (ANALYZE, FORMAT JSON)"
        f" EXECUTE report (1, '{date(2024, 11, 1)}', '{date(2024, 11, 30)}', 5)"
    )
    await conn.close()
    plan = json.loads(answer)[0]["Plan"]
    assert plan["Actual Rows"] == 1
    for node in nodes(plan):
        touched = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
        assert touched * node["Actual Loops"] <= 40, node
