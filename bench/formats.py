"""Files of a report: the speed of XLSX beside the bare library with the same rows, and memory."""

import asyncio
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import BinaryIO

import orjson
from rustpy_xlsxwriter import FastExcel

from bench import results
from services.api.businesses.model import Business
from services.api.formats.delimited import csv_header, csv_lines
from services.api.formats.page.navigation import Navigation, View
from services.api.formats.pdf.typesetting import Typesetting
from services.api.formats.report import Column, Kind, Report, Value
from services.api.formats.xlsx.process import workbook
from shared.period import Period

ROWS = 100_000
PDF_ROWS = 2_000
ROUNDS = 3
_BATCH = 500
_KINDS = (
    *[Kind.ID] * 6,
    *[Kind.TEXT] * 9,
    *[Kind.CLOCK] * 2,
    *[Kind.DATE] * 2,
    Kind.FLAG,
    *[Kind.COUNT] * 2,
    *[Kind.MONEY] * 6,
    Kind.DAYS,
)
_COLUMNS = [Column(f"{kind.value}_{place}", kind, kind.value) for place, kind in enumerate(_KINDS)]


def main(_: list[str]) -> None:
    """Measure rows that have as many columns as the list, and write the results."""
    results.write("formats", "Formats", asyncio.run(_measured()))


def _row(number: int) -> list[Value]:
    values: dict[Kind, Value] = {
        Kind.ID: number,
        Kind.TEXT: f"Customer {number % 1000} Ltd",
        Kind.CLOCK: datetime(2024, 1, 1, 10, 30),  # noqa: DTZ001
        Kind.DATE: date(2024, 2, 29),
        Kind.FLAG: 0,
        Kind.COUNT: number % 50,
        Kind.MONEY: Decimal(number * 37) / 100,
        Kind.DAYS: Decimal("12.25"),
    }
    return [values[kind] for kind in _KINDS]


def _report(count: int) -> Report:
    async def rows() -> AsyncIterator[Sequence[Sequence[Value]]]:
        for begin in range(0, count, _BATCH):
            yield [_row(number) for number in range(begin, begin + _BATCH)]

    return Report(
        kind="income-by-customer",
        title="Income by customer",
        business=Business(1, "Bench", "GHS", "UTC"),
        period=Period(date(2024, 1, 1), date(2024, 12, 31)),
        columns=_COLUMNS,
        rows=rows,
        totals={},
        meta={},
    )


async def _measured() -> list[str]:
    bare, ours, csv = [], [], []
    for _ in range(ROUNDS):
        bare.append(_seconds(_bare))
        started = time.perf_counter()
        (await workbook(_report(ROWS))).close()
        ours.append(time.perf_counter() - started)
        csv.append(_seconds(_csv))
    pdf = await _pdf()
    small, large = _peak(ROWS // 10), _peak(ROWS)
    return [
        f"The best of {ROUNDS}; {ROWS:,} rows of {len(_COLUMNS)} columns, which are made meanwhile.",
        "",
        "| XLSX | the bare library | of its speed | peak memory | of a tenth of the rows | CSV | PDF |",
        "|---|---|---|---|---|---|---|",
        (
            f"| {min(ours):.1f} s | {min(bare):.1f} s | {min(bare) / min(ours):.2f} | {large} MB"
            f" | {small} MB | {min(csv):.1f} s | {pdf:.1f} s (2,000 rows) |"
        ),
    ]


def _seconds(run: Callable[[], None]) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def _bare() -> None:
    """Write the same cells with the bare library, from rows that are made as ours are."""
    names = [column.name for column in _COLUMNS]

    def cell(value: Value) -> Value | float:
        return float(value) if isinstance(value, Decimal) else value

    with tempfile.NamedTemporaryFile(suffix=".xlsx") as file:
        records = (dict(zip(names, map(cell, _row(n)), strict=True)) for n in range(ROWS))
        FastExcel(file.name).freeze(row=1).sheet("Rows", records, autofilter=True).save()


def _csv() -> None:
    with tempfile.TemporaryFile() as file:
        file.write(csv_header(_COLUMNS))
        for begin in range(0, ROWS, _BATCH):
            rows = [_row(number) for number in range(begin, begin + _BATCH)]
            file.write(csv_lines(_COLUMNS, rows))


async def _pdf() -> float:
    shown = [column.name for column in _COLUMNS if column.kind in {Kind.MONEY, Kind.COUNT}]
    navigation = Navigation(view=View.LIST, path="/", columns=[_COLUMNS[6].name, *shown])
    async with Typesetting() as typesetting:
        started = time.perf_counter()
        await typesetting.pdf(_report(PDF_ROWS), navigation)
        return time.perf_counter() - started


def _peak(count: int) -> int:
    """Return the memory in MB that the process has at its peak while it writes so many rows."""
    plan = {
        "sheet": "Rows",
        "columns": [(column.name, column.kind.value) for column in _COLUMNS],
        "decimals": 2,
        "has_fractions": False,
        "totals": [],
        "about": [],
    }
    with tempfile.NamedTemporaryFile() as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "services.api.formats.xlsx", file.name],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            cwd=Path(__file__).parents[1],
        )
        assert process.stdin is not None
        _feed(process.stdin, plan, count)
        _, _, used = os.wait4(process.pid, 0)
    return _megabytes(used)


def _feed(pipe: BinaryIO, plan: object, count: int) -> None:
    pipe.write(orjson.dumps(plan) + b"\n")
    for begin in range(0, count, _BATCH):
        rows = [_row(number) for number in range(begin, begin + _BATCH)]
        pipe.write(orjson.dumps(rows, default=float) + b"\n")
    pipe.write(b"null\n")
    pipe.close()


def _megabytes(used: resource.struct_rusage) -> int:
    return used.ru_maxrss // 1024
