"""Summary, series and explanations: the time of each beside that of the list."""

import asyncio
import time
from collections.abc import Callable
from functools import partial
from statistics import quantiles

import asyncpg

from bench.client import Client, in_turn, seconds
from bench.servers import Served
from services.api.views.explain.fields import FIELDS

_REPORTS = "/api/v3/reports/customers"
_YEAR, _FIVE_YEARS = "2023-01-01/2023-12-31", "2020-01-01/2024-12-31"
_PERIODS = {
    "a year": _YEAR,
    "a year from 16 March": "2022-03-16/2023-03-15",
    "five years": _FIVE_YEARS,
}
_ROUNDS = 9
_ASKED = 600  # explanations of one customer

# The documents of customers of their own, of which nine tenths have a payment.
_CUSTOMERS = {10_001: 500, 10_002: 20_000}
_FILL = """
INSERT INTO customers (id, business_id, owner_id, business_name) VALUES ({id}, 1, 1, 'Customer {id}');
INSERT INTO invoices (id, business_id, customer_id, number, kind, status, issue_date, due_date, total)
    SELECT {id} * 1000000::bigint + n, 1, {id}, 'X' || n,
        CASE WHEN n % 20 = 0 THEN 'credit_note' ELSE 'invoice' END, 'issued', day, day + 30, n % 997 + 0.25
    FROM (
        SELECT n, '2020-01-01'::date + n * 1826 / {documents} AS day FROM generate_series(1, {documents}) n
    ) documents;
INSERT INTO payments (id, business_id, invoice_id, paid_on, amount, channel, status)
    SELECT id, 1, id, issue_date + (id % 60)::int, total,
        CASE WHEN id % 2 = 0 THEN 'manual' ELSE 'online' END, 'settled'
    FROM invoices WHERE business_id = 1 AND customer_id = {id} AND id % 10 <> 0
"""

# Changes the ledger, and returns how long the work takes after that.
AfterChange = Callable[[Callable[[], object]], float]


def measure(dsn: str, ours: Served, after_change: AfterChange) -> list[str]:
    """Return the lines about a ledger of `bench.ledger`, to which two customers are added."""
    lines = [_sums(ours, name, period, after_change) for name, period in _PERIODS.items()]
    asyncio.run(fill(dsn))
    return [*lines, *(_explained(ours, each, many) for each, many in _CUSTOMERS.items())]


async def fill(dsn: str) -> None:
    """Add the customers whose figures are explained."""
    conn = await asyncpg.connect(dsn, command_timeout=None)
    for customer, documents in _CUSTOMERS.items():
        await conn.execute(_FILL.format(id=customer, documents=documents))
    await conn.execute("VACUUM ANALYZE")
    await conn.close()


def _sums(ours: Served, name: str, period: str, after_change: AfterChange) -> str:
    client = Client(ours)
    paths = {
        "whole": f"{_REPORTS}/{period}",
        "summary": f"{_REPORTS}/{period}/summary",
        "series": f"{_REPORTS}/{period}/series?interval=month",
    }
    asks = {each: partial(client.get, path) for each, path in paths.items()}
    same = in_turn(_ROUNDS, **{each: partial(seconds, ask) for each, ask in asks.items()})
    new = in_turn(_ROUNDS, **{each: partial(after_change, ask) for each, ask in asks.items()})
    return (
        f"- Of {name}: the list {same['whole'] * 1000:.0f} ms; summary"
        f" {_ratio(same, 'summary')}, right after a change {_ratio(new, 'summary')}; series by"
        f" month {_ratio(same, 'series')}, right after a change {_ratio(new, 'series')}."
    )


def _ratio(took: dict[str, float], view: str) -> str:
    return f"{took[view] * 1000:.1f} ms ({took[view] / took['whole']:.2f} of the list)"


def _explained(ours: Served, customer: int, documents: int) -> str:
    """Return the line about explanations of all figures, on both bases, of a year and of five."""
    client, fields = Client(ours), tuple(FIELDS)
    taken: dict[str, list[float]] = {field: [] for field in fields}
    for number in range(_ASKED):
        field = fields[number % len(fields)]
        basis = ("accrual", "cash")[number // len(fields) % 2]
        period = (_YEAR, _FIVE_YEARS)[number // len(fields) // 2 % 2]
        path = f"{_REPORTS}/client/{customer}/{period}/explain/{field}?basis={basis}"
        begun = time.perf_counter()
        client.get(path)
        taken[field].append((time.perf_counter() - begun) * 1000)
    cut = quantiles([each for found in taken.values() for each in found], n=100)
    slowest = max(fields, key=lambda field: quantiles(taken[field], n=100)[98])
    return (
        f"- Explanation of one figure of a customer with {documents:,} documents: median"
        f" {cut[49]:.1f} ms, p99 {cut[98]:.1f} ms; the slowest figure is `{slowest}`, median"
        f" {quantiles(taken[slowest], n=100)[49]:.1f} ms."
    )
