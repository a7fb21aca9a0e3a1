"""Each bucket of each customer on any day, against the contract's words, under edits."""

from datetime import date
from decimal import Decimal
from typing import Any

import asyncpg
import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from services.api.aging.fields import amounts
from services.api.aging.model import AgingQuery, Buckets
from services.api.aging.query import figures
from services.api.ledger.verification import prove
from services.api.reports.query import BOUNDED, EXACT, Counting
from tests.examples import examples
from tests.services.api.aging.ledgers import CHANGES, DAYS, FIRST_RECORDS, Twin
from tests.services.api.aging.naive_aging import bucket_names
from tests.services.api.reports.naive_model import Number, number
from tests.services.api.reports.test_kept_edits import WAYS

ENDS = st.sampled_from([(30, 60, 90), (1,), (1, 2), (15, 45), (3650,), (1, 2, 3, 4, 5, 6, 7, 8)])
AS_OF = st.one_of(DAYS, DAYS, DAYS, st.sampled_from([date(1, 1, 2), date(9999, 12, 30)]))
ALWAYS = date(9999, 12, 30)


async def read(
    conn: asyncpg.Connection, query: AgingQuery, counting: Counting
) -> list[dict[str, Any]]:
    """The table of the query, in the order of the naive model."""
    records = await conn.fetch(f"{figures(query, counting)} SELECT * FROM figures")
    fields = amounts(query.buckets)
    rows = [
        {
            "id": number(record["id"]),
            "business_name": record["business_name"],
            **{each.column.name: _amount(record[each.sql]) for each in fields},
        }
        for record in records
    ]
    return sorted(rows, key=lambda row: (-Decimal(row["total"]), int(row["id"])))


def _amount(units: int | Decimal) -> Number:
    return number(Decimal(units).scaleb(-4))


async def assert_equal(twin: Twin, as_of: date, ends: tuple[int, ...]) -> None:
    for business in (1, 2):
        expected = twin.model.aging(business, as_of, ends)
        query = AgingQuery(business, as_of, Buckets(ends))
        assert list(query.buckets.names) == bucket_names(ends)
        assert repr(await read(twin.conn, query, EXACT)) == repr(expected)
        try:
            bounded = await read(twin.conn, query, BOUNDED)
        except asyncpg.NumericValueOutOfRangeError:
            assert "99999999999999.9999" in repr(twin.model), "no amount is out of bounds"
        else:
            assert repr(bounded) == repr(expected)
        for row in expected:
            owed = twin.model.receivable(business, int(str(row["id"])), as_of)
            assert row["total"] == number(owed)


@pytest.mark.parametrize("way", WAYS)
@settings(
    derandomize=True,
    max_examples=examples(10),
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(first=FIRST_RECORDS, changes=CHANGES, as_of=AS_OF, ends=ENDS)
async def test_each_bucket_is_what_the_contract_says(
    database: str, way: str, first: Any, changes: Any, as_of: date, ends: tuple[int, ...]
) -> None:
    conn = await asyncpg.connect(database)
    try:
        await conn.execute(WAYS[way])
        twin = Twin(conn)
        await twin.begin()
        for business, key, record in first:
            await twin.change(business, key, record)
        for place, (business, key, change) in enumerate(changes):
            if place % 4 == 0:
                await assert_equal(twin, as_of, ends)
            await twin.change(business, key, change)
        await assert_equal(twin, as_of, ends)
        await assert_equal(twin, ALWAYS, ends)
        async for proof in prove(conn):
            assert not proof.differences, proof
    finally:
        await conn.close()
