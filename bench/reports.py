"""Reports: the list, one customer, 304, memory and writes, compared with peers and the limit."""

import asyncio
import os
import re
import threading

import asyncpg

from bench import ledger, ranges, results, servers, writes
from bench.client import Client, in_turn, rate, seconds, unchunked
from bench.servers import ROOT, Served
from provision import servers as provision
from services.api.reports.query import one_customer
from shared.db import sql

YEAR = "2023-01-01/2023-12-31"
MID = "2022-03-16/2023-03-15"
SIZES = (100_000, 1_000_000, 3_000_000)
RANGED = 1_000_000  # invoices of the ledger on which ranges are measured
LIST = "/api/v3/reports/customers"
ROUNDS = 9
SLOW_ROUNDS = 3  # for lists that take many seconds
PARTS = ("lists", "rates", "ranges", "memory", "writes")

# The limit: the same bytes from a table that contains only the figures of this answer.
_LIMIT_TABLE = """
CREATE TABLE bench_limit AS
SELECT c.id, c.report_head || to_json(g.name) || ',"category_id":' || g.id || ',"deposit_amount":' AS head,
    c.report_middle AS middle, (c.opening_balance * 10000)::bigint + coalesce(t.receivable, 0)::bigint AS balance,
    coalesce(t.deposited, 0)::bigint AS deposited, coalesce(p.billed, 0)::bigint AS billed, coalesce(p.manual, 0)::bigint AS manual,
    coalesce(p.online, 0)::bigint AS online, p.days::bigint, coalesce(p.invoices, 0) AS invoices, p.manual_count,
    p.online_count, p.paid_in_full
FROM customers c
JOIN categories g ON g.business_id = c.business_id AND g.id = c.category_id
LEFT JOIN summed_totals t ON t.business_id = c.business_id AND t.customer_id = c.id
LEFT JOIN summed_periods p
    ON p.business_id = c.business_id AND p.customer_id = c.id AND p.period = 20230000;
VACUUM ANALYZE bench_limit
"""
_LIMIT = """
SELECT ',' || concat(
    head, trim_scale(deposited * 0.0001), middle, trim_scale(billed * 0.0001), ',"invoice_count":',
    invoices, ',"balance":', trim_scale(balance * 0.0001), ',"amount_paid":',
    CASE WHEN manual_count > 0 THEN trim_scale(manual * 0.0001)::text ELSE 'null' END,
    ',"online_amount_paid":',
    CASE WHEN online_count > 0 THEN trim_scale(online * 0.0001)::text ELSE 'null' END,
    ',"dateFrom":"2023-01-01","dateTo":"2023-12-31","average_payment_terms":',
    CASE WHEN paid_in_full > 0 THEN trim_scale(round(days::numeric / paid_in_full, 2)) ELSE 0 END,
    ',"owing":', trim_scale((billed - manual - online) * 0.0001), ',"total_paid":',
    trim_scale((manual + online) * 0.0001), ',"invoices":', invoices, '}')
FROM bench_limit ORDER BY balance DESC, id
"""


def main(arguments: list[str]) -> None:
    """Run all parts at all sizes and write the results, or run the named ones and show them."""
    parts = tuple(each for each in arguments if not each.isdigit()) or PARTS
    sizes = tuple(int(each) for each in arguments if each.isdigit()) or SIZES
    servers.install()
    url = os.environ.get("DATABASE_URL") or provision.start(ROOT, "bench").database_url
    head = results.machine(url, "aiohttp", "asyncpg")
    head += f" Medians of {ROUNDS} rounds, all taken in turn; of the peers' lists {SLOW_ROUNDS}."
    lines = [head]
    if {"lists", "rates", "ranges"}.intersection(parts):
        lines += ["", *_reading(url, sizes, parts)]
    if "memory" in parts:
        lines += ["", *_memory(url)]
    if "writes" in parts:
        lines += ["", *writes.run(url)]
    if (parts, sizes) == (PARTS, SIZES):
        results.write("reports", "Reports", lines)
    else:
        print("\n".join(lines))


def _reading(url: str, sizes: tuple[int, ...], parts: tuple[str, ...]) -> list[str]:
    lists = [
        "10,000 customers. Milliseconds for the list from the first byte asked to the last read; the",
        "limit is a COPY of the same bytes from a table that holds this answer's figures only.",
        "",
        (
            "| invoices | list, one year | limit | FastAPI | aiohttp, naive | × FastAPI | of limit "
            "| list, mid-month | FastAPI | × |"
        ),
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    rates: list[str] = []
    for invoices in sizes:
        dsn = asyncio.run(ledger.create(url))
        try:
            key = asyncio.run(ledger.fill(dsn, customers=10_000, invoices=invoices))
            with (
                servers.product(dsn, key) as ours,
                servers.peer("fastapi_peer", dsn, key, {}) as fastapi,
                servers.peer("aiohttp_peer", dsn, key, _queries()) as plain,
            ):
                if "lists" in parts:
                    lists.append(_lists(dsn, invoices, ours, fastapi, plain))
                if "rates" in parts:
                    rates += _rates(invoices, ours, fastapi, plain)
                if "ranges" in parts and invoices == RANGED:
                    rates += ["", *ranges.lines(ours)]
        finally:
            asyncio.run(ledger.drop(url, dsn))
    return [*lists, "", *rates] if "lists" in parts else rates


def _lists(dsn: str, invoices: int, ours: Served, fastapi: Served, plain: Served) -> str:
    asyncio.run(_execute(dsn, *_LIMIT_TABLE.split(";")))
    me, they, naive = Client(ours), Client(fastapi), Client(plain)
    limit = _Limit(dsn)
    _, body = me.get(f"{LIST}/{YEAR}")
    assert unchunked(body) == limit.bytes(), "the limit renders other bytes"
    took = in_turn(
        ROUNDS,
        ours=lambda: seconds(lambda: me.get(f"{LIST}/{YEAR}")),
        limit=lambda: seconds(limit.bytes),
        mid=lambda: seconds(lambda: me.get(f"{LIST}/{MID}")),
    )
    took |= in_turn(
        SLOW_ROUNDS,
        fastapi=lambda: seconds(lambda: they.get(f"/list/{YEAR}")),
        fastapi_mid=lambda: seconds(lambda: they.get(f"/list/{MID}")),
        naive=lambda: seconds(lambda: naive.get(f"/list/{YEAR}")),
    )
    limit.close()
    ms = {name: value * 1000 for name, value in took.items()}
    return (
        f"| {invoices:,} | {ms['ours']:.0f} | {ms['limit']:.0f} | {ms['fastapi']:.0f} "
        f"| {ms['naive']:.0f} | {ms['fastapi'] / ms['ours']:.1f} "
        f"| {ms['ours'] / ms['limit']:.2f} | {ms['mid']:.0f} | {ms['fastapi_mid']:.0f} "
        f"| {ms['fastapi_mid'] / ms['mid']:.1f} |"
    )


def _rates(invoices: int, ours: Served, fastapi: Served, plain: Served) -> list[str]:
    head, _ = Client(ours).get(f"{LIST}/{YEAR}")
    tag = re.search(rb'(?i)etag: (".*?")', head)
    assert tag, "the list has no entity tag"
    known = f"If-None-Match: {tag[1].decode()}"
    per_second = in_turn(
        ROUNDS,
        one=lambda: rate(ours, f"{LIST}/client/77/{YEAR}"),
        one_bare=lambda: rate(plain, f"/one/77/{YEAR}"),
        one_fastapi=lambda: rate(fastapi, f"/one/77/{YEAR}"),
        unchanged=lambda: rate(ours, f"{LIST}/{YEAR}", known),
        unchanged_bare=lambda: rate(plain, f"/304/{YEAR}"),
    )
    one, bare = per_second["one"], per_second["one_bare"]
    unchanged = per_second["unchanged"]
    return [
        (
            f"- {invoices:,} invoices, requests a second on 4 connections: one customer {one:.0f}, "
            f"{one / bare:.2f} of a bare handler with the same two queries ({bare:.0f}), "
            f"{one / per_second['one_fastapi']:.1f} × FastAPI ({per_second['one_fastapi']:.0f}); "
            f"304 {unchanged:.0f}, {unchanged / per_second['unchanged_bare']:.2f} of a bare handler "
            f"({per_second['unchanged_bare']:.0f})."
        )
    ]


class _Limit:
    """A connection that copies the limit's bytes."""

    def __init__(self, dsn: str) -> None:
        self._loop = asyncio.new_event_loop()
        settings = {"jit": "off", "work_mem": "32MB"}
        self._conn = self._loop.run_until_complete(asyncpg.connect(dsn, server_settings=settings))

    def bytes(self) -> bytes:
        pieces: list[bytes] = []

        async def keep(piece: bytes) -> None:
            pieces.append(piece)

        signs = {"format": "csv", "delimiter": "\x02", "quote": "\x01"}
        self._loop.run_until_complete(self._conn.copy_from_query(_LIMIT, output=keep, **signs))
        return b"[" + b"".join(pieces)[1:] + b"]"

    def close(self) -> None:
        self._loop.run_until_complete(self._conn.close())
        self._loop.close()


def _memory(url: str) -> list[str]:
    dsn = asyncio.run(ledger.create(url))
    try:
        key = asyncio.run(ledger.fill(dsn, customers=100_000, invoices=100_000))
        with servers.product(dsn, key) as ours:
            Client(ours).get(f"{LIST}/client/77/{YEAR}")
            before, most = ours.memory, 0
            readers = [
                threading.Thread(target=lambda: Client(ours).get(f"{LIST}/{YEAR}"))
                for _ in range(4)
            ]
            for reader in readers:
                reader.start()
            while any(reader.is_alive() for reader in readers):
                most = max(most, ours.memory)
        return [
            (
                f"- Memory of the API: {before / 1024:.0f} MiB, at most {(most - before) / 1024:.0f} MiB "
                "more while four clients read 100,000 customers each."
            )
        ]
    finally:
        asyncio.run(ledger.drop(url, dsn))


def _queries() -> dict[str, str]:
    access, reports = sql.load("services.api.access"), sql.load("services.api.reports")
    naive = ROOT / "tests" / "services" / "api" / "reports" / "naive_report.sql"
    return {
        "principal": access.principal,
        "version": reports.version,
        "one": one_customer(),
        "naive": naive.read_text(),
    }


async def _execute(dsn: str, *statements: str) -> None:
    conn = await asyncpg.connect(dsn)
    for statement in statements:
        await conn.execute(statement)
    await conn.close()
