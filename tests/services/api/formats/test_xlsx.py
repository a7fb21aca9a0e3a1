"""XLSX of a report, read back by two readers, and by LibreOffice if it is here."""

import asyncio
import csv
import io
import os
import shutil
import subprocess
import sys
import zipfile
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from aiohttp import ClientTimeout
from openpyxl.workbook import Workbook
from python_calamine import CalamineWorkbook

from services.api.formats.negotiation import Format
from services.api.formats.report import Value
from services.api.formats.xlsx import process
from tests.servers import absent
from tests.services.api.formats.reports import (
    COLUMNS,
    NAMES,
    Served,
    client_of,
    report_of,
    rows_of,
    total,
)

ROWS = rows_of()
# What openpyxl reads of a name if that is not the name: of line ends, nothing, and an escape that
# it does not resolve.
SHOWN = {
    "two\r\nlines": "two\nlines",
    "\rx": "\nx",
    "": None,
    "_x000D_": "_x005F_x000D_",
}
HEADER = [column.name for column in COLUMNS]


async def xlsx(
    rows: Sequence[Sequence[Value]] = ROWS, *, currency: str = "GHS", business: str = "Acme"
) -> bytes:
    report = report_of(rows, currency=currency, business=business)
    async with client_of(Served(report)) as client:
        answer = await client.get("/?format=xlsx")
        assert answer.status == 200
        return await answer.read()


def opened(body: bytes) -> Workbook:
    return openpyxl.load_workbook(io.BytesIO(body))


def columns(body: bytes) -> dict[str, list[Any]]:
    sheet = opened(body).worksheets[0]
    header, *rows = sheet.iter_rows()
    names = [str(cell.value) for cell in header]
    return dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))


async def test_cells_have_types_and_forms() -> None:
    found = columns(await xlsx())
    assert list(found) == HEADER
    assert [cell.value for cell in found["business_name"]] == [
        SHOWN.get(name, name) for name in NAMES
    ]
    assert {cell.data_type for cell in found["business_name"] if cell.value} == {"s"}
    assert {cell.quotePrefix for cell in found["business_name"] if cell.value} == {True}
    assert {cell.data_type for cell in found["amount_due"]} == {"n"}
    assert {cell.number_format for cell in found["amount_due"]} == {"#,##0.00##"}
    amounts = [Decimal(str(cell.value)) for cell in found["amount_due"]]
    assert amounts == [row[5] for row in ROWS]
    assert sum(amounts) == total(ROWS, "amount_due")
    assert sum(cell.value for cell in found["invoice_count"]) == total(ROWS, "invoice_count")
    assert [cell.value for cell in found["previous.amount_due"]] == [
        None if row[9] is None else 7.5 for row in ROWS
    ]


async def test_days_are_whole_serials_and_what_a_sheet_has_no_date_for_is_text() -> None:
    body = await xlsx()
    found = columns(body)
    assert found["issue_date"][1].value == datetime(2024, 2, 29)  # noqa: DTZ001
    assert found["issue_date"][1].number_format == "yyyy-mm-dd"
    assert found["created_at"][1].value == datetime(2021, 3, 28, 2, 30, 15)  # noqa: DTZ001
    assert found["issue_date"][0].value == "1850-12-31"
    assert found["created_at"][0].value == "0001-01-01 00:00:00"
    cells = zipfile.ZipFile(io.BytesIO(body)).read("xl/worksheets/sheet1.xml").decode()
    assert '<c r="D3" s="' in cells
    assert "<v>45351.0</v>" in cells


async def test_long_ids_are_text_and_short_ones_are_numbers() -> None:
    found = columns(await xlsx())["id"]
    assert (found[0].value, found[0].data_type) == ("9223372036854775807", "s")
    assert (found[1].value, found[1].data_type) == (4, "n")
    edge = rows_of(["a", "b"])
    edge[0][0], edge[1][0] = 10**15 - 1, 10**15
    assert [cell.value for cell in columns(await xlsx(edge))["id"]] == [10**15 - 1, str(10**15)]


@pytest.mark.parametrize(
    ("currency", "amount", "form"),
    [
        ("GHS", "1.5", "#,##0.00##"),
        ("KWD", "1.5", "#,##0.000#"),
        ("CLF", "1.5", "#,##0.0000"),
        ("JPY", "1500", "#,##0"),
        # All is shown, also what the currency should not have.
        ("JPY", "1500.25", "#,##0.####"),
    ],
)
async def test_amounts_have_the_decimals_of_their_currency(
    currency: str, amount: str, form: str
) -> None:
    rows = rows_of(["a", "b", "c"])
    for row in rows:
        row[5], row[9] = Decimal(2000), None
    rows[2][5] = Decimal(amount)
    found = columns(await xlsx(rows, currency=currency))["amount_due"]
    assert {cell.number_format for cell in found} == {form}
    assert [Decimal(str(cell.value)) for cell in found] == [row[5] for row in rows]


async def test_the_header_stays_and_the_columns_have_filters() -> None:
    sheet = opened(await xlsx()).worksheets[0]
    assert sheet.title == "Income by customer"
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == f"A1:J{len(ROWS) + 1}"
    assert all(cell.font.bold for cell in sheet[1])


async def test_totals_and_meta_stand_on_a_sheet_of_their_own() -> None:
    book = opened(await xlsx(business="=cmd|' /C calc'!A0"))
    assert len(book.worksheets) == 2
    sheet = book["Totals"]
    found = {str(name.value): value for name, value in sheet.iter_rows(min_row=2)}
    assert Decimal(str(found["amount_due"].value)) == total(ROWS, "amount_due")
    assert found["amount_due"].number_format == "#,##0.00##"
    assert found["invoice_count"].value == total(ROWS, "invoice_count")
    assert found["business"].value == "=cmd|' /C calc'!A0"
    assert (found["business"].data_type, found["business"].quotePrefix) == ("s", True)
    assert found["excluded.documents"].value == "draft, void"
    assert (found["inclusive"].value, found["from"].value) == ("true", "2026-01-01")


async def test_rows_are_not_written_twice() -> None:
    book = zipfile.ZipFile(io.BytesIO(await xlsx()))
    for name in ("xl/worksheets/sheet1.xml", "xl/worksheets/sheet2.xml"):
        numbers = [each.split('"')[0] for each in book.read(name).decode().split('<row r="')[1:]]
        assert not [each for each, times in Counter(numbers).items() if times > 1]


async def test_a_report_without_rows_has_a_header() -> None:
    sheet = opened(await xlsx([])).worksheets[0]
    assert [cell.value for cell in sheet[1]] == HEADER
    assert all(cell.value is None for row in sheet.iter_rows(min_row=2) for cell in row)


async def test_texts_that_no_cell_could_hold() -> None:
    long, wide = "x" * 32_768, "\U0001f600" * 20_000
    names = [long, wide, "x" * 32_767, "a\x01\x0bb\x7f\ufffe", "_x0041_"]
    found = columns(await xlsx(rows_of(names)))["business_name"]
    assert found[0].value == "x" * 32_766 + "…"
    assert found[1].value == "\U0001f600" * 16_383 + "…"
    assert found[2].value == names[2]
    book = CalamineWorkbook.from_filelike(io.BytesIO(await xlsx(rows_of(names))))
    read = book.get_sheet_by_index(0).to_python()
    assert read[4][1] == "a\ufffd\ufffdb\x7f\ufffd"
    assert read[5][1] == "_x0041_"


async def test_more_rows_than_a_sheet_holds_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "ROWS_MAX", 10)
    async with client_of(Served(report_of(rows_of(["a"] * 11)))) as client:
        answer = await client.get("/?format=xlsx")
        assert answer.status == 422
        (error,) = (await answer.json())["errors"]
    assert error["field"] == "format"
    assert "csv" in error["message"]


async def test_a_process_that_dies_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_MODULE", "services.api.formats.xlsx.absent")
    async with client_of(Served(report_of(ROWS))) as client:
        answer = await client.get("/?format=xlsx")
        assert answer.status == 500
        assert (await answer.json())["detail"].startswith("Internal error")


async def test_a_process_ends_with_its_reader() -> None:
    waiting = asyncio.Event()

    async def rows() -> AsyncIterator[Sequence[Sequence[Value]]]:
        yield ROWS
        await waiting.wait()

    served = Served(replace(report_of(ROWS), rows=rows))
    async with client_of(served) as client:
        with pytest.raises(TimeoutError):
            await client.get("/?format=xlsx", timeout=ClientTimeout(1))
        served.report = report_of(ROWS)
        # A business makes one file at a time: this one waits until the other is given up.
        assert (await client.get("/?format=xlsx")).status == 200


async def test_the_headers_say_what_it_is() -> None:
    async with client_of(Served(report_of(ROWS))) as client:
        for method in ("GET", "HEAD"):
            answer = await client.request(method, "/?format=xlsx")
            assert answer.headers["Content-Type"] == Format.XLSX.media
            assert answer.headers["ETag"] == '"tag"'
            # It is compressed inside.
            assert "Content-Encoding" not in answer.headers
            assert answer.headers.get("Content-Length") != "0"
            named = answer.headers["Content-Disposition"]
            assert named.startswith('attachment; filename="income-by-customer_soren-son_2026-01-01')
            assert ".xlsx" in named


def converted(program: str, folder: Path) -> list[dict[str, str]]:
    """Return the rows that LibreOffice reads from r.xlsx in the folder."""
    home = f"-env:UserInstallation=file://{folder}/home"
    to = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true"
    subprocess.run(
        [program, home, "--headless", "--convert-to", to, "--outdir", folder, folder / "r.xlsx"],
        check=True,
        timeout=120,
    )
    with (folder / "r.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


async def test_libreoffice_reads_the_same(tmp_path: Path) -> None:
    program = shutil.which("soffice")
    if program is None:
        absent("LibreOffice is not installed")
    rows = [row for row in ROWS if "\n" not in str(row[1]) and "\r" not in str(row[1])]
    (tmp_path / "r.xlsx").write_bytes(await xlsx(rows))
    found = converted(program, tmp_path)
    assert len(found) == len(rows)
    amounts = [Decimal(each["amount_due"].replace(",", "")) for each in found]
    assert sum(amounts) == total(rows, "amount_due")
    assert [each["business_name"] for each in found] == [str(row[1] or "") for row in rows]


def peak_memory(count: int, file: Path) -> int:
    """Return the peak of the process that writes so many rows, in KiB."""
    report = report_of([])
    plan = process._plan(report, has_fractions=False)._asdict()
    program = [sys.executable, "-m", "services.api.formats.xlsx", str(file)]
    writer = subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    assert writer.stdin is not None
    rows = process._line(rows_of(["Acme"] * 500))
    with writer.stdin as pipe:
        pipe.writelines([process._line(plan), *[rows] * (count // 500), b"null\n"])
    _, status, used = os.wait4(writer.pid, 0)
    writer.returncode = status
    assert status == 0
    return used.ru_maxrss


def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    few, many = (peak_memory(count, tmp_path / "r.xlsx") for count in (2_000, 100_000))
    assert many < few * 1.2
    with (tmp_path / "r.xlsx").open("rb") as file, zipfile.ZipFile(file) as book:
        assert book.read("xl/worksheets/sheet1.xml").count(b"<row ") == 100_001
