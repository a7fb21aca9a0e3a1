"""Views of the report: pages, cash and CSV, as parts of the list in the same run."""

import asyncio
import csv
import os
from collections.abc import Callable
from datetime import date
from io import StringIO
from itertools import count, cycle
from typing import Self

import asyncpg

from bench import figures, ledger, results, servers
from bench.client import Client, in_turn, rate, rate_of, seconds, unchunked
from bench.reports import LIST, YEAR
from bench.servers import ROOT, Served
from provision import servers as provision
from services.api.core.query_string import parse_query
from services.api.reports.listing import query
from services.api.reports.listing.fields import fields
from services.api.reports.listing.model import Listing
from services.api.reports.model import ReportQuery
from services.api.reports.options import ListOptions
from shared.period import Period

CUSTOMERS, INVOICES, MANY_CUSTOMERS = 10_000, 1_000_000, 100_000
ROUNDS = 9
PAGE = f"{LIST}/{YEAR}?per_page=50&sort=-balance"
HTML = f"{LIST}/{YEAR}?format=html&per_page=1000"
_LISTING = Listing(
    ReportQuery(1, Period(date(2023, 1, 1), date(2023, 12, 31))), parse_query(ListOptions, ())
)
_CHANGE = "UPDATE customers SET opening_balance = opening_balance + 0.01 WHERE id = $1"


def main(arguments: list[str]) -> None:
    """Run all parts and write the results, or run the named ones and show them."""
    parts = arguments or list(_PARTS)
    url = os.environ.get("DATABASE_URL") or provision.start(ROOT, "bench").database_url
    head = results.machine(url, "aiohttp", "asyncpg")
    lines = [f"{head} Medians of {ROUNDS} rounds, all taken in turn.", ""]
    for part in parts:
        customers, invoices, measure = _PARTS[part]
        lines += _on(url, customers, invoices, measure)
    if arguments:
        print("\n".join(lines))
    else:
        results.write("views", "Views of the report", lines)


def _on(
    url: str, customers: int, invoices: int, measure: Callable[[str, Served], list[str]]
) -> list[str]:
    dsn = asyncio.run(ledger.create(url))
    try:
        key = asyncio.run(ledger.fill(dsn, customers=customers, invoices=invoices))
        with servers.product(dsn, key) as served:
            return measure(dsn, served)
    finally:
        asyncio.run(ledger.drop(url, dsn))


def _figures(dsn: str, served: Served) -> list[str]:
    with _Writer(dsn) as writer:
        return figures.measure(dsn, served, writer.then)


def _pages(dsn: str, served: Served) -> list[str]:
    whole, numbers = f"{LIST}/{YEAR}", count()
    per_second = in_turn(
        ROUNDS,
        whole=lambda: rate(served, whole),
        first=lambda: rate(served, PAGE),
        fresh=lambda: rate_of(
            served, lambda client, _: client.get(_fresh(next(numbers))), connections=4, lasting=1.5
        ),
    )
    client = Client(served)
    with _Writer(dsn) as writer:
        changed = in_turn(
            ROUNDS,
            whole=lambda: writer.then(lambda: client.get(whole)),
            page=lambda: writer.then(lambda: client.get(PAGE)),
        )
    took = in_turn(
        ROUNDS,
        accrual=lambda: seconds(lambda: client.get(f"{whole}?basis=accrual")),
        cash=lambda: seconds(lambda: client.get(f"{whole}?basis=cash")),
        html=lambda: seconds(lambda: client.get(HTML)),
    )
    html = len(client.get(HTML)[1])
    first = per_second["first"] / per_second["whole"]
    return [
        (
            f"- A page of 50 by balance, of {CUSTOMERS:,} customers, on 4 connections:"
            f" {per_second['first']:.0f} a second, {first:.0f} × the whole list"
            f" ({per_second['whole']:.1f}); pages that nobody asked for before"
            f" {per_second['fresh'] / per_second['whole']:.0f} ×. Right after a change:"
            f" {changed['page'] * 1000:.1f} ms, {changed['whole'] / changed['page']:.1f} × as fast."
        ),
        (
            f"- `basis=cash`: {took['cash'] * 1000:.0f} ms, {took['cash'] / took['accrual']:.2f}"
            " of the accrual list."
        ),
        f"- The HTML page of 1,000 rows: {html / 1000:.0f} kB before gzip, {took['html'] * 1000:.0f} ms.",
    ]


def _fresh(number: int) -> str:
    """Return the path of a page that is asked for once; 200 of them are pages of one list."""
    return f"{PAGE}&page={number % 200 + 1}&max_balance={10**9 + number // 200}"


class _Writer:
    """Changes the ledger on a connection of its own."""

    def __init__(self, dsn: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._conn = self._loop.run_until_complete(asyncpg.connect(dsn))
        self._customers = cycle(range(1, CUSTOMERS, CUSTOMERS // 30))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.run_until_complete(self._conn.close())
        self._loop.close()

    def then(self, work: Callable[[], object]) -> float:
        """Change the next customer, and return how long `work` takes after that."""
        self._loop.run_until_complete(self._conn.execute(_CHANGE, next(self._customers)))
        return seconds(work)


def _files(dsn: str, served: Served) -> list[str]:
    path = f"{LIST}/{YEAR}?format=csv"
    client = Client(served)
    written = csv.reader(StringIO(unchunked(client.get(path)[1]).decode(), newline=""))
    assert len(list(written)) == MANY_CUSTOMERS + 1
    rows = asyncio.run(_read(dsn))
    took = in_turn(
        ROUNDS // 3,
        ours=lambda: seconds(lambda: client.get(path)),
        writing=lambda: seconds(lambda: _write(rows)),
        library=lambda: seconds(lambda: _write(asyncio.run(_read(dsn)))),
    )
    return [
        (
            f"- CSV of {MANY_CUSTOMERS:,} customers: {took['ours']:.2f} s over HTTP,"
            f" {took['writing'] / took['ours']:.2f} of the speed of Python's csv module that writes"
            f" the same rows from memory to memory ({took['writing']:.2f} s), and"
            f" {took['library'] / took['ours']:.2f} if it reads them by the same query first."
        )
    ]


async def _read(dsn: str) -> list[asyncpg.Record]:
    """Return the rows of the list as values."""
    conn = await asyncpg.connect(dsn, server_settings={"jit": "off", "work_mem": "32MB"})
    try:
        return await conn.fetch(query.values(_LISTING))
    finally:
        await conn.close()


def _write(rows: list[asyncpg.Record]) -> str:
    """Return the same CSV as Python's csv module writes it."""
    file = StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow([each.column.name for each in fields(is_compared=False)])
    writer.writerows(rows)
    return file.getvalue()


_PARTS = {
    "pages": (CUSTOMERS, INVOICES, _pages),
    "figures": (CUSTOMERS, INVOICES, _figures),
    "files": (MANY_CUSTOMERS, MANY_CUSTOMERS, _files),
}
