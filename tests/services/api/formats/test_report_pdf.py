"""PDF of a report, read back by pdftotext and checked by qpdf."""

import re
import shutil
import subprocess
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest
from aiohttp import ClientTimeout

from services.api.formats.answer import TYPESETTING
from services.api.formats.page.navigation import Bar, Navigation, Paging, View
from services.api.formats.report import Value
from tests.servers import absent
from tests.services.api.formats.reports import Served, client_of, report_of, rows_of, total

SHOWN = ("business_name", "amount_due", "invoice_count", "average_payment_terms")
_ENDLESS = """
import sys, time
from shared.rendering.answers import (Ready, answer_frame)
sys.stdout.buffer.write(answer_frame(Ready(())))
sys.stdout.flush()
time.sleep(600)
"""
NAVIGATION = Navigation(view=View.LIST, path="/", columns=SHOWN)


async def pdf(rows: Sequence[Sequence[Value]], navigation: Navigation = NAVIGATION) -> bytes:
    async with client_of(Served(report_of(rows), navigation)) as client:
        answer = await client.get("/?format=pdf")
        assert answer.status == 200
        return await answer.read()


def text_of(body: bytes) -> str:
    program = shutil.which("pdftotext")
    if program is None:
        absent("pdftotext is not installed")
    done = subprocess.run(
        [program, "-layout", "-", "-"], input=body, capture_output=True, check=True
    )
    return done.stdout.decode()


def check(file: Path) -> None:
    program = shutil.which("qpdf")
    if program is None:
        absent("qpdf is not installed")
    subprocess.run([program, "--check", file], check=True, capture_output=True)


def names(count: int) -> list[str]:
    return [f"Customer {number:04}" for number in range(count)]


async def test_the_figures_can_be_read_back() -> None:
    rows = rows_of(names(120))
    text = text_of(await pdf(rows))
    table = text[text.rindex("The largest by billed") :]
    pattern = r"^ *(Customer \d{4}) +([−\d,.]+) +([\d,]+) +(−12\.25)$"
    found = re.findall(pattern, table, re.MULTILINE)
    assert [each[0] for each in found] == names(120)
    amounts = [Decimal(each[1].replace(",", "").replace("−", "-")) for each in found]
    assert amounts == [row[5] for row in rows]
    last = re.search(r"^ *Total +([−\d,.]+) +([\d,]+)$", text, re.MULTILINE)
    assert last is not None
    assert Decimal(last[1].replace(",", "")) == total(rows, "amount_due") == sum(amounts)
    assert Decimal(last[2].replace(",", "")) == total(rows, "invoice_count")


async def test_every_page_says_whose_when_and_what() -> None:
    pages = text_of(await pdf(rows_of(names(120)))).rstrip("\f").split("\f")
    assert len(pages) > 2
    for number, page in enumerate(pages, start=1):
        said = " ".join(page.split())
        for words in ("Søren & Søn", "1 January – 31 March 2026", "GHS", "definition 2026-11"):
            assert words in said
        assert f"Page {number} of {len(pages)}" in said
        assert "Customer Billed Invoices Terms" in said


async def test_it_is_whole_tagged_and_archival(tmp_path: Path) -> None:
    body = await pdf(rows_of(["Acme", "Søren", "Ωmega"]))
    assert b"pdfaid:part>3<" in body
    assert b"pdfuaid:part>1<" in body
    (tmp_path / "r.pdf").write_bytes(body)
    check(tmp_path / "r.pdf")


async def test_hostile_and_long_names_are_only_text() -> None:
    hostile = [
        "#panic()",
        "*bold* _x_ $x$ @ref <label>",
        "]]}}#{",
        "W" * 300,
        None,
        "tab\there\nthere",
    ]
    text = text_of(await pdf(rows_of(hostile)))
    for words in ("#panic()", "*bold* _x_ $x$ @ref <label>", "]]}}#{", "tab here there"):
        assert words in text
    assert text.count("W") == 300


async def test_a_customer_without_a_business_name_has_another_one() -> None:
    rows = rows_of([None, ""])
    text = text_of(await pdf(rows))
    for row in rows:
        assert re.search(rf"^ *Customer {row[0]} ", text, re.MULTILINE)


async def test_the_bars_of_the_page_and_the_total_of_all_are_shown() -> None:
    bars = [Bar("Largest of all", Decimal("123456.78")), Bar("Next", Decimal(-5))]
    navigation = Navigation(
        view=View.LIST,
        path="/",
        columns=SHOWN,
        bars_title="Top customers",
        bars=bars,
        paging=Paging(5000),
    )
    text = text_of(await pdf(rows_of(names(3)), navigation))
    for words in ("Top customers", "Largest of all", "123,456.78", "Total of all 5,000"):
        assert words in text


async def test_too_many_rows_are_refused_with_other_formats() -> None:
    rows = rows_of(["a"] * 2001)
    async with client_of(Served(report_of(rows, batch=500), NAVIGATION)) as client:
        answer = await client.get("/?format=pdf")
        assert answer.status == 422
        (error,) = (await answer.json())["errors"]
    assert error["field"] == "format"
    assert "2,000" in error["message"]
    assert "csv" in error["message"]
    assert "xlsx" in error["message"]


async def test_a_process_that_dies_or_does_not_start_is_a_problem(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with client_of(Served(report_of(rows_of(["a"])), NAVIGATION)) as client:
        assert (await client.get("/?format=pdf")).status == 200
        for program in ("import os; os.abort()", "import sys; sys.exit(3)"):
            monkeypatch.setattr(client.app[TYPESETTING]._processes, "_program", ("-c", program))
            client.app[TYPESETTING]._processes._idle.clear()
            answer = await client.get("/?format=pdf")
            assert answer.status == 500
            assert answer.content_type == "application/problem+json"
            assert "xlsx" in (await answer.json())["detail"]


async def test_a_process_ends_with_its_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    async with client_of(Served(report_of(rows_of(["a"])), NAVIGATION)) as client:
        monkeypatch.setattr(client.app[TYPESETTING]._processes, "_program", ("-c", _ENDLESS))
        with pytest.raises(TimeoutError):
            await client.get("/?format=pdf", timeout=ClientTimeout(3))
        monkeypatch.undo()
        # A business makes one file at a time: this one waits until the other is given up.
        assert (await client.get("/?format=pdf")).status == 200


async def test_no_process_is_started_before_the_first_pdf_and_a_small_one_keeps_it() -> None:
    async with client_of(Served(report_of(rows_of(["a"])), NAVIGATION)) as client:
        made = client.app[TYPESETTING]._processes
        assert made._idle == []
        await client.get("/?format=pdf")
        (kept,) = made._idle
        await client.get("/?format=pdf")
        assert made._idle == [kept]
    assert not kept.alive


async def test_the_headers_say_what_it_is() -> None:
    async with client_of(Served(report_of(rows_of(["a"])), NAVIGATION)) as client:
        for method in ("GET", "HEAD"):
            answer = await client.request(method, "/?format=pdf")
            assert answer.headers["Content-Type"] == "application/pdf"
            assert answer.headers["ETag"] == '"tag"'
            assert "Content-Encoding" not in answer.headers
            assert answer.headers.get("Content-Length") != "0"
            named = answer.headers["Content-Disposition"]
            assert named.startswith('inline; filename="income-by-customer_soren-son_2026-01-01')
