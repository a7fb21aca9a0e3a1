"""What the report's fragments make together."""

import re
from collections.abc import AsyncIterator
from datetime import date

import asyncpg
import pytest

from services.api.reports.model import ReportQuery
from services.api.reports.query import (
    BOUNDED,
    EXACT,
    Counting,
    all_customers,
    figures,
    literals,
    one_customer,
)
from shared.period import Period
from tests.services.api.reports import columns

NOVEMBER = ReportQuery(1, Period(date(2024, 11, 1), date(2024, 11, 30)))
FRAGMENTS = {"report_head", "report_category", "report_middle"}
MEAN = {"days", "paid_in_full"}  # of what average_payment_terms is the mean
COUNTINGS = pytest.mark.parametrize("counting", [EXACT, BOUNDED])


@pytest.fixture
async def conn(readable: str) -> AsyncIterator[asyncpg.Connection]:
    conn = await asyncpg.connect(readable)
    yield conn
    await conn.close()


@COUNTINGS
async def test_the_columns_are_the_fields_of_a_row(
    conn: asyncpg.Connection, counting: Counting
) -> None:
    first, *_ = await columns.read(conn, NOVEMBER, counting)
    assert set(first.keys()) == FRAGMENTS | MEAN | columns.FIELDS.keys()


@COUNTINGS
async def test_the_list_is_in_the_order_of_its_columns(
    conn: asyncpg.Connection, counting: Counting
) -> None:
    rows = await columns.read(conn, NOVEMBER, counting)
    lines = await conn.fetch(all_customers(literals(NOVEMBER), counting))
    assert len(rows) > 1
    assert [f'{{"id":{row["id"]},' for row in rows] == [
        line["row"].partition('"owner_id"')[0] for line in lines
    ]


async def test_a_query_carries_no_column_that_it_does_not_name(conn: asyncpg.Connection) -> None:
    """Then a form of the report costs what it shows, however many columns the report has."""
    text = f"{figures(literals(NOVEMBER), EXACT)} SELECT id, balance FROM figures"
    plan = [row[0] for row in await conn.fetch(f"EXPLAIN (VERBOSE) {text}")]
    assert plan[1].startswith("  Output: c.id, ")
    assert not re.search("first_name|report_head|report_middle|n.name", plan[1])
    assert not [line for line in plan if "Scan on figures" in line]


def test_a_composed_query_has_no_place_left() -> None:
    for query in (all_customers(literals(NOVEMBER), BOUNDED), one_customer()):
        assert not re.search(r"\{\w+\}", query)
    assert sorted(set(re.findall(r"\$\d", one_customer()))) == ["$1", "$2", "$3", "$4"]
    assert "$" not in all_customers(literals(NOVEMBER), EXACT)
