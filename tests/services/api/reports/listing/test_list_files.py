"""The list as a file that a process of its own makes: XLSX and PDF."""

import io
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import asyncpg
import openpyxl
import pytest
from aiohttp import ClientResponse

from services.api.formats.delimited import csv_lines
from services.api.formats.report import Column, Kind
from shared.csv_text import guarded
from tests.services.api.api_client import NOVEMBER, REPORTS, Api
from tests.services.api.formats.reports import FORMULAS, NAMES
from tests.services.api.formats.test_report_pdf import text_of

LIST = f"{REPORTS}/{NOVEMBER}"
# A name and six figures, of which none has a space.
_ROW = re.compile(r"(\S.*?) {2,}((?:[−\d,.]+ +){5}[−\d,.]+)")
SUMMED = ("deposit_amount", "amount_due", "balance", "amount_paid", "owing", "invoice_count")


def cells(body: bytes) -> tuple[list[Mapping[str, Any]], Mapping[str, Any]]:
    """Return the rows of a workbook, and the fields of its second sheet."""
    book = openpyxl.load_workbook(io.BytesIO(body))
    header, *rows = book.worksheets[0].iter_rows(values_only=True)
    told = {str(name): value for name, value in book["Totals"].iter_rows(values_only=True)}
    return [dict(zip(map(str, header), row, strict=True)) for row in rows], told


async def saved(api: Api, path: str, **headers: str) -> ClientResponse:
    """Return an answer that has been read."""
    headers["Authorization"] = f"Bearer {api.key}"
    answer = await api.session.get(f"http://127.0.0.1:{api.port}{path}", headers=headers)
    await answer.read()
    return answer


def printed(text: str) -> Decimal:
    return Decimal(text.replace(",", "").replace("−", "-"))


def exact(value: object) -> Decimal:
    return Decimal(0) if value is None else Decimal(str(value))


@pytest.mark.parametrize("options", ["", "&archived=0", "&q=zzz", "&compare=previous-year"])
async def test_a_workbook_has_the_rows_of_json_and_its_totals(reader: Api, options: str) -> None:
    told = (await reader.get(f"{LIST}?meta=1{options}")).json
    answer = await saved(reader, f"{LIST}?format=xlsx{options}")
    assert answer.status == 200
    rows, second = cells(await answer.read())
    rows = [row for row in rows if row["id"] is not None]
    assert [int(row["id"]) for row in rows] == [row["id"] for row in told["data"]]
    for field in SUMMED:
        assert [exact(row[field]) for row in rows] == [exact(row[field]) for row in told["data"]]
        assert sum(exact(row[field]) for row in rows) == told["totals"][field]
        assert exact(second[field]) == told["totals"][field]
    assert second["definition"] == told["meta"]["definition"]
    assert (second["from"], second["to"]) == ("2024-11-01", "2024-11-30")


async def test_a_pdf_has_every_customer_and_the_totals(reader: Api) -> None:
    told = (await reader.get(f"{LIST}?meta=1")).json
    answer = await saved(reader, f"{LIST}?format=pdf")
    assert answer.status == 200
    text = text_of(await answer.read())
    assert "1–30 November 2024" in text
    lines = [each for line in text.splitlines() if (each := _ROW.fullmatch(line.strip()))]
    *rows, last = [(line[1], [printed(each) for each in line[2].split()]) for line in lines]
    assert last[0] == "Total"
    assert [row[0] for row in rows] == [
        row["business_name"] or f"{row['first_name']} {row['last_name']}" for row in told["data"]
    ]
    fields = ("balance", "amount_due", "total_paid", "owing", "invoice_count")
    for place, field in enumerate(fields):
        figures = [row[1][place] for row in rows]
        assert figures == [row[field] for row in told["data"]]
        assert sum(figures) == last[1][place] == told["totals"][field]


async def test_both_are_unchanged_until_the_ledger_is(reader: Api) -> None:
    for word in ("xlsx", "pdf"):
        tag = (await saved(reader, f"{LIST}?format={word}")).headers["ETag"]
        again = await reader.get(f"{LIST}?format={word}", headers={"If-None-Match": tag})
        assert again.status == 304


async def test_postgres_guards_texts_as_we_do(database: str) -> None:
    texts = [
        *NAMES,
        *FORMULAS,
        *(chr(code) for code in range(1, 0x250)),
        "\uff1d",
        "a\uff1d",
        "'",
        "\n=",
    ]
    column = [Column("text", Kind.TEXT, "")]
    conn = await asyncpg.connect(database)
    try:
        for text in texts:
            stored = await conn.fetchval("SELECT csv_text($1)", text)
            if text is None:
                assert stored == ""
                continue
            assert stored == '"' + guarded(text).replace('"', '""') + '"'
            ours = csv_lines(column, [[text]]).decode().removesuffix("\r\n")
            assert ours in {stored, guarded(text)}
    finally:
        await conn.close()
