"""A summary right after a change reads what changed, and is the same as if it read everything."""

import re
from collections.abc import AsyncIterator
from datetime import date
from decimal import Decimal
from random import Random

import asyncpg
import pytest

from services.api.core.query_string import parse_query
from services.api.reports.model import ReportQuery
from services.api.reports.query import BOUNDED, Counting
from services.api.views.summary import store
from services.api.views.summary.model import By, SummaryOptions
from services.api.views.summary.parts import Largest, Parts, Ranges
from services.api.views.summary.query import SummaryQuery, summary_of_some
from services.api.views.summary.sums import Sums
from shared.period import Period
from tests.services.api.api_client import NOVEMBER, REPORTS, Api
from tests.services.api.ledgers import load_large

_NOVEMBER = ReportQuery(1, Period(date(2024, 11, 1), date(2024, 11, 30)))
_SUMMARY = f"{REPORTS}/{NOVEMBER}/summary?limit=3"
_CHANGES = (
    "UPDATE payments SET amount = amount + 1 WHERE business_id = 1 AND id = 2",
    "UPDATE invoices SET total = 9000 WHERE business_id = 1 AND id = 7",
    "UPDATE invoices SET customer_id = 2 WHERE business_id = 1 AND id = 7",
    "UPDATE customers SET category_id = NULL WHERE business_id = 1 AND id = 5",
    "UPDATE customers SET business_name = 'Another' WHERE business_id = 1 AND id = 4",
    "DELETE FROM payments WHERE business_id = 1 AND id = 3",
    "INSERT INTO customers (id, business_id, owner_id) VALUES (900, 1, 1)",
    "DELETE FROM customers WHERE business_id = 1 AND id = 900",
)


@pytest.fixture
async def conn(golden: str) -> AsyncIterator[asyncpg.Connection]:
    conn = await asyncpg.connect(golden)
    yield conn
    await conn.close()


def _shown(answer: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in answer.items() if name != "meta"}


async def test_right_after_a_change_not_everything_is_read(
    api: Api, conn: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    async def parts(
        conn: asyncpg.Connection, asked: SummaryQuery, counting: Counting, version: str
    ) -> Parts:
        read.append(version)
        return await everything(conn, asked, counting, version)

    everything = store.parts
    monkeypatch.setattr(store, "parts", parts)
    before = _shown((await api.get(_SUMMARY)).json)
    assert len(read) == 1
    for place, change in enumerate(_CHANGES):
        await conn.execute(change)
        read.clear()
        now = _shown((await api.get(_SUMMARY)).json)
        assert not read, change
        assert now != before, change
        # Nobody asked for this one, so everything is read.
        assert now == _shown((await api.get(f"{_SUMMARY}&min_balance=-1234567{place}")).json)
        assert read, change
        before = now
    await conn.execute("UPDATE categories SET name = 'Others' WHERE business_id = 1")
    read.clear()
    await api.get(_SUMMARY)
    assert read


async def test_amounts_out_of_bounds_are_no_parts(api: Api, conn: asyncpg.Connection) -> None:
    await api.get(_SUMMARY)
    for total in (90_000_000_000_000, 90_000_000_000_001, 5):
        await conn.execute("UPDATE invoices SET total = $1 WHERE business_id = 1 AND id = 2", total)
        shown = (await api.get(_SUMMARY)).json
        rows = (await api.get(f"{REPORTS}/{NOVEMBER}")).json
        assert shown["totals"]["amount_due"] == sum(row["amount_due"] for row in rows)


async def test_a_range_is_read_by_its_keys(database: str) -> None:
    """So what a change costs does not grow with the number of other customers."""
    await load_large(database, customers=2000, each=2)
    conn = await asyncpg.connect(database)
    await conn.execute("VACUUM ANALYZE")
    middle = ReportQuery(1, Period(date(2024, 11, 2), date(2024, 11, 20)))
    for report in (_NOVEMBER, middle):
        asked = SummaryQuery(report, parse_query(SummaryOptions, ()), middle.period)
        text = summary_of_some(asked, BOUNDED, 5)
        await conn.execute(f"PREPARE one (bigint, bigint, bigint[]) AS {text}")
        found = await conn.fetch("EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE one (320, 351, '{330}')")
        rows = [int(each) for each in re.findall(r'"Actual Rows": (\d+)', found[0][0])]
        assert max(rows) < 500
        await conn.execute("DEALLOCATE one")
    await conn.close()


@pytest.mark.parametrize("most", [1, 3, 64])
def test_ranges_have_every_id(most: int) -> None:
    for first, last in ((0, 0), (1, 10_000), (7, 7), (-5, 5), (2**62, 2**63 - 1), (-(2**63), 2)):
        ranges = Ranges.between(first, last, most)
        assert ranges.of(last) - ranges.of(first) < max(most, 2)
        for each in (first, last, (first + last) // 2):
            begins, ends = ranges.ends(ranges.of(each))
            assert begins <= each <= ends
            assert ranges.of(begins - 1) + 1 == ranges.of(each) == ranges.of(ends + 1) - 1


def _customer(number: int, value: int | None) -> Sums:
    amount = None if value is None else Decimal(value)
    return Sums(number, None, 1, 1, {By.AMOUNT_PAID: amount}, None)


def test_the_largest_are_known_until_too_many_of_them_are_gone() -> None:
    random = Random(4)
    everyone = {number: _customer(number, number % 7) for number in range(30)}
    largest = Largest.first(By.AMOUNT_PAID, _in_order(everyone)[:8], 8)
    known = 0
    for _ in range(2000):
        changed = set(random.sample(range(32), random.randrange(3)))
        for number in changed:
            everyone.pop(number, None)
            if random.random() < 0.8:
                value = random.choice([None, *range(-3, 9)])
                everyone[number] = _customer(number, value)
        found = [everyone[number] for number in changed if number in everyone]
        largest = largest.but(changed, found, 8)
        if largest.has(5):
            known += 1
            assert list(largest.customers[:5]) == _in_order(everyone)[:5]
        else:
            largest = Largest.first(By.AMOUNT_PAID, _in_order(everyone)[:8], 8)
    assert known > 1500


def _in_order(customers: dict[int, Sums]) -> list[Sums]:
    def place(each: Sums) -> tuple[bool, Decimal, int]:
        value = each.figures[By.AMOUNT_PAID]
        return value is None, -Decimal(str(value or 0)), each.id or 0

    return sorted(customers.values(), key=place)
