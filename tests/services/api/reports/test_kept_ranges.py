"""Ranges of every length on one ledger: equal to the base tables, byte by byte."""

import json
import random
from collections.abc import AsyncIterator, Iterator
from datetime import date, timedelta
from typing import Any

import asyncpg
import pytest

from provision.servers import Servers
from services.api.reports.model import ReportQuery
from services.api.reports.query import EXACT, all_customers, literals, one_customer
from shared.period import Period
from tests.examples import examples
from tests.servers import address, copied
from tests.services.api.reports.base_tables import assert_as_in_sql, load
from tests.services.api.reports.columns import assert_as_cash

_LEDGER = """
SELECT setseed(0.7);
INSERT INTO businesses (id, owner_id, name, currency, timezone)
    SELECT n, n, 'B' || n, 'EUR', 'UTC' FROM generate_series(1, 2) n;
INSERT INTO customers (id, business_id, owner_id, first_name)
    SELECT n, b, 1, 'C' || n FROM generate_series(1, 12) n, generate_series(1, 2) b;
INSERT INTO invoices (id, business_id, customer_id, number, kind, status, issue_date, total)
    SELECT n, b, 1 + floor(random() * 12), 'N' || n,
        CASE WHEN random() < 0.1 THEN 'credit_note' ELSE 'invoice' END,
        CASE WHEN random() < 0.9 THEN 'issued' ELSE 'void' END,
        '2015-01-01'::date + floor(random() * 3700)::int, round((random() * 900)::numeric, 2)
    FROM generate_series(1, 4000) n, generate_series(1, 2) b;
INSERT INTO invoices (id, business_id, customer_id, number, kind, status, issue_date, total)
    SELECT 5000 + row_number() OVER (), 1, 3, 'E', 'invoice', 'issued', day::date, 10
    FROM unnest(ARRAY['0001-01-01', '1600-02-29', '1999-12-31', '2000-02-29', '9999-12-31']) day;
INSERT INTO payments (id, business_id, invoice_id, paid_on, amount, channel, status)
    SELECT id, business_id, id, least(issue_date + 9 + id::int % 3 * 30, '9999-12-31'),
        CASE WHEN random() < 0.7 THEN total ELSE total / 2 END,
        CASE WHEN random() < 0.5 THEN 'manual' ELSE 'online' END, 'settled'
    FROM invoices WHERE id % 5 <> 0 AND id < 5000;
INSERT INTO deposits (id, business_id, customer_id, entry_date, amount, type)
    SELECT n, b, n, '2020-01-01', n, 'credit'
    FROM generate_series(1, 12) n, generate_series(1, 2) b;
ANALYZE;
"""


@pytest.fixture(scope="module")
async def ledger(servers: Servers, database_template: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection to the ledger, which all tests only read."""
    async with copied(servers, database_template) as name:
        conn = await asyncpg.connect(address(servers, name))
        await conn.execute(_LEDGER)
        yield conn
        await conn.close()


EDGES = [
    ("2016-02-29", "2016-02-29"),
    ("2016-02-28", "2016-03-01"),
    ("2017-02-01", "2017-02-28"),
    ("2019-12-31", "2020-01-01"),
    ("2019-01-01", "2019-12-31"),
    ("2018-12-31", "2021-01-01"),
    ("2019-01-02", "2020-12-30"),
    ("2019-01-31", "2019-03-01"),
    ("0001-01-02", "9999-12-30"),
    ("0001-01-02", "1600-02-29"),
    ("1600-02-29", "2000-02-29"),
    ("2100-01-01", "2300-12-31"),
    ("9999-12-01", "9999-12-30"),
]


@pytest.mark.parametrize(("start", "end"), EDGES)
async def test_edges_of_months_years_and_centuries(
    ledger: asyncpg.Connection, start: str, end: str
) -> None:
    for business in (1, 2):
        await assert_as_in_sql(ledger, business, date.fromisoformat(start), date.fromisoformat(end))


async def test_ranges_of_every_length(ledger: asyncpg.Connection) -> None:
    chance = random.Random(2024)
    for _ in range(examples(300)):
        start = date(2014, 12, 1) + timedelta(chance.randrange(3800))
        end = start + timedelta(min(chance.randrange(3800), int(chance.expovariate(1 / 200))))
        await assert_as_in_sql(ledger, chance.choice((1, 2)), start, end)


async def test_what_was_received_in_such_ranges(ledger: asyncpg.Connection) -> None:
    known = await load(ledger)
    chance = random.Random(2025)
    for _ in range(examples(15)):
        start = date(2014, 12, 1) + timedelta(chance.randrange(3800))
        end = start + timedelta(min(chance.randrange(3800), int(chance.expovariate(1 / 200))))
        query = ReportQuery(chance.choice((1, 2)), Period(start, end))
        await assert_as_cash(ledger, query, known)


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from _nodes(child)


@pytest.mark.parametrize("customers", ["all", "one"])
async def test_a_report_reads_no_document_outside_of_its_first_and_last_month(
    ledger: asyncpg.Connection, customers: str
) -> None:
    await ledger.execute("VACUUM ANALYZE")
    start, end = date(2016, 3, 20), date(2022, 8, 5)
    query, values = one_customer(), (1, start, end, 7)
    if customers == "all":
        query, values = all_customers(literals(ReportQuery(1, Period(start, end))), EXACT), ()
    explained = await ledger.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {query}", *values)
    nodes = list(_nodes(json.loads(explained)[0]["Plan"]))
    tables = {node["Relation Name"]: node for node in nodes if "Relation Name" in node}
    assert not tables.keys() & {"invoices", "payments", "deposits"}
    for node in nodes:
        if node.get("Relation Name") in {"kept_documents", "kept_periods"}:
            assert "Seq" not in node["Node Type"]
            # One period of twelve customers; a day has one or two documents here.
            assert node["Actual Rows"] <= 12
            assert node["Actual Loops"] <= 12 + 9 + 5 + 9 + 7 + 5
            assert node.get("Rows Removed by Filter", 0) <= 2
