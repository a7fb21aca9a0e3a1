"""The cost of kept figures for writers, compared with the same tables without them."""

import asyncio
import time
from datetime import date
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import asyncpg

from bench import ledger
from services.api.ledger.imports import import_directory

_SIZES = {100_000: 1_000, 1_000_000: 10_000}  # invoices, and their customers
_SINGLE = 300
_INVOICE = """INSERT INTO invoices
    (business_id, id, customer_id, number, kind, status, issue_date, total)
    VALUES (1, $1, $2, 'N', 'invoice', 'issued', $3, 10.5)"""
_PAYMENT = """INSERT INTO payments (business_id, id, invoice_id, paid_on, amount, channel, status)
    VALUES (1, $1, $1, '2024-06-01', 10.5, 'manual', 'settled')"""


def run(url: str) -> list[str]:
    """Measure an import and single rows, with and without kept figures."""
    return asyncio.run(_run(url))


async def _run(url: str) -> list[str]:
    lines = [
        "Writing, with kept figures and without (speed with, as a part of the speed without):",
        "",
        "| | without | with | ratio |",
        "|---|---|---|---|",
    ]
    for invoices, customers in _SIZES.items():
        kept, bare = await ledger.create(url), await ledger.create(url)
        try:
            taken = await _imports(url, (bare, kept), invoices, customers)
            what = f"import of {invoices:,} invoices and {invoices * 9 // 10:,} payments, s"
            lines.append(_line(what, *taken, 1))
            if invoices == max(_SIZES):
                invoice, payment = await _single(bare, kept)
        finally:
            for dsn in (kept, bare):
                await ledger.drop(url, dsn)
    return [
        *lines,
        _line("INSERT of one invoice, committed, ms", *invoice, 1000),
        _line("INSERT of one payment, committed, ms", *payment, 1000),
    ]


async def _imports(url: str, dsns: tuple[str, str], invoices: int, customers: int) -> list[float]:
    """Return how long one import of all files takes without and with kept figures."""
    bare, kept = dsns
    source = await ledger.create(url)
    try:
        with TemporaryDirectory() as folder:
            await ledger.fill(source, customers=customers, invoices=invoices)
            await ledger.export(source, Path(folder))
            await ledger.strip(bare)
            return [await _import(dsn, Path(folder)) for dsn in (bare, kept)]
    finally:
        await ledger.drop(url, source)


def _line(what: str, without: float, kept: float, scale: int) -> str:
    return f"| {what} | {without * scale:.1f} | {kept * scale:.1f} | {without / kept:.2f} |"


async def _import(dsn: str, folder: Path) -> float:
    started = time.perf_counter()
    await import_directory(dsn, folder)
    return time.perf_counter() - started


async def _single(bare: str, kept: str) -> tuple[list[float], list[float]]:
    connections = [await asyncpg.connect(dsn) for dsn in (bare, kept)]
    invoices: list[list[float]] = [[], []]
    payments: list[list[float]] = [[], []]
    for turn in range(_SINGLE):
        number, customer = 5_000_000 + turn, 1 + turn * 31 % 10_000
        day = date(2020 + turn % 5, 1 + turn % 12, 1 + turn % 28)
        for place, conn in enumerate(connections):
            started = time.perf_counter()
            await conn.execute(_INVOICE, number, customer, day)
            invoices[place].append(time.perf_counter() - started)
            started = time.perf_counter()
            await conn.execute(_PAYMENT, number)
            payments[place].append(time.perf_counter() - started)
    for conn in connections:
        await conn.close()
    return [median(each) for each in invoices], [median(each) for each in payments]
