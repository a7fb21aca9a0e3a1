"""The years, quarters, months and days that make up a range, some of which are taken away."""

import random
from collections import Counter
from datetime import date, timedelta

import asyncpg

_LEDGER = """
INSERT INTO businesses (id, owner_id, name, currency, timezone) VALUES (1, 1, 'One', 'EUR', 'UTC');
INSERT INTO customers (id, business_id, owner_id) VALUES (1, 1, 1);
INSERT INTO invoices (id, business_id, customer_id, number, kind, status, issue_date, total)
    VALUES (1, 1, 1, 'N', 'invoice', 'issued', '2020-05-05', 1),
        (2, 1, 1, 'N', 'invoice', 'issued', '2025-05-05', 1);
"""
FIRST, LAST = date(2020, 1, 1), date(2025, 12, 31)
DAY = timedelta(1)
MOST = {"day": 36, "month": 4, "quarter": 4, "year": 6}


def unit(period: int) -> str:
    month, day = period // 100 % 100, period % 100
    if day:
        return "day"
    return "year" if month == 0 else "quarter" if month > 12 else "month"


def bounds(period: int) -> tuple[date, date]:
    """Return the first day of the period and the day after its last."""
    year, month = period // 10000, period // 100 % 100
    match unit(period):
        case "day":
            first = date(year, month, period % 100)
            return first, first + DAY
        case "month":
            months = 1
        case "quarter":
            month, months = (month - 13) * 3 + 1, 3
        case _:
            month, months = 1, 12
    after = year * 12 + month - 1 + months
    return date(year, month, 1), date(after // 12, after % 12 + 1, 1)


async def test_the_periods_of_any_range_are_few_and_together_the_range(database: str) -> None:
    conn = await asyncpg.connect(database)
    await conn.execute(_LEDGER)
    chance = random.Random(12)
    for _ in range(1500):
        start = date(2019, 6, 1) + timedelta(chance.randrange(2600))
        end = start + timedelta(chance.randrange(chance.choice((3, 60, 400, 2600))))
        rows = await conn.fetch("SELECT * FROM periods_covering(1, $1, $2)", start, end)
        steps: Counter[date] = Counter()
        for row in rows:
            first, after = bounds(row["period"])
            steps[first] += row["sign"]
            steps[after] -= row["sign"]
        expected = {max(start, FIRST): 1, min(end, LAST) + DAY: -1}
        if max(start, FIRST) > min(end, LAST):
            expected = {}
        assert {day: sign for day, sign in steps.items() if sign} == expected, (start, end)
        for kind, count in Counter(unit(row["period"]) for row in rows).items():
            assert count <= MOST[kind], (start, end, kind)
    await conn.close()
