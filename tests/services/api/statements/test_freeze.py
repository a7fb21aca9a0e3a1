"""The cost of detecting that a statement is too long to be mailed."""

import json
from collections.abc import Iterator
from datetime import date
from typing import Any
from uuid import uuid4

import asyncpg

from services.api.statements import store
from shared.db import sql
from tests.services.api.sends.conftest import LEDGER

_INVOICES = 3_000
_MOST = 50


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from _nodes(part)


async def test_a_statement_too_long_is_refused_before_its_figures_are_computed(
    database: str,
) -> None:
    """No more rows are read than tell that there are too many."""
    conn = await asyncpg.connect(database)
    try:
        await conn.execute(LEDGER)
        await conn.execute(
            "INSERT INTO invoices (business_id, id, customer_id, number, kind, status, issue_date,"
            " total) SELECT 1, n, 4, 'X' || n, 'invoice', 'issued', '2024-11-05', 1"
            " FROM generate_series(1, $1::int) n",
            _INVOICES,
        )
        await conn.execute("ANALYZE")
        query = sql.call(
            f"EXPLAIN (ANALYZE, FORMAT JSON) {store.freeze_text()}",
            business=1,
            start=date(2024, 11, 1),
            end=date(2024, 11, 30),
            customer=4,
            send=uuid4(),
            kind="activity",
            locale=None,
            template_version=1,
            most_lines=_MOST,
        )
        [found] = await conn.fetchrow(*query)
    finally:
        await conn.close()
    scans = [node for node in _nodes(json.loads(found)[0]["Plan"]) if "Scan" in node["Node Type"]]
    read = [(node["Actual Rows"] * node["Actual Loops"], node["Node Type"]) for node in scans]
    assert _MOST < max(read)[0] <= 2 * _MOST, read
