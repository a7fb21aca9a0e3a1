"""The list in the formats that Postgres writes, read back by stock readers."""

import csv
import gzip
import json
from collections.abc import AsyncIterator
from decimal import Decimal
from io import StringIO
from typing import Any

import asyncpg
import pytest

from tests.services.api.api_client import NOVEMBER, REPORTS, Answer, Api
from tests.services.api.reports.listing.walks import ids, pages

LIST = f"{REPORTS}/{NOVEMBER}"
MONEY = (
    "deposit_amount",
    "amount_due",
    "balance",
    "amount_paid",
    "online_amount_paid",
    "owing",
    "total_paid",
)
SUMMED = (*MONEY, "invoice_count", "invoices")
COMPARED = ("amount_due", "invoice_count", "amount_paid", "total_paid", "owing")


def lines(answer: Answer) -> list[dict[str, str]]:
    """The rows of CSV; RFC 4180 ends each line with CR LF."""
    return list(csv.DictReader(StringIO(answer.text, newline=""), strict=True))


def objects(answer: Answer) -> list[dict[str, Any]]:
    return [json.loads(line, parse_float=Decimal) for line in answer.text.splitlines()]


def total(values: list[Any]) -> Decimal:
    return sum((Decimal(value) for value in values if value not in (None, "")), Decimal(0))


@pytest.mark.parametrize("options", ["", "&archived=0", "&category_id=1", "&q=zzz", "&per_page=2"])
async def test_the_sums_of_the_rows_are_the_totals(reader: Api, options: str) -> None:
    told = (await reader.get(f"{LIST}?meta=1{options}")).json
    every = options.replace("&per_page=2", "")
    rows = (await reader.get(f"{LIST}?format=json{every}")).json
    written = lines(await reader.get(f"{LIST}?format=csv{every}"))
    streamed = objects(await reader.get(f"{LIST}?format=ndjson{every}"))

    assert streamed == rows
    for field in SUMMED:
        assert total([row[field] for row in rows]) == told["totals"][field]
        assert total([row[field] for row in written]) == told["totals"][field]
    assert told["data"] == rows[: len(told["data"])]


async def test_the_mean_in_totals_is_over_all_documents(reader: Api) -> None:
    # 92, 1 and 1 days of one document each.
    assert (await reader.get(f"{LIST}?meta=1")).json["totals"]["average_payment_terms"] == Decimal(
        "31.33"
    )


async def test_csv_has_the_fields_of_json(reader: Api) -> None:
    rows = (await reader.get(f"{LIST}?compare=previous-year")).json
    answer = await reader.get(f"{LIST}?compare=previous-year&format=csv")
    written = lines(answer)

    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert len(written) == len(rows)
    for row, line in zip(rows, written, strict=True):
        flat = {name: value for name, value in row.items() if name not in {"previous", "change"}}
        for part in ("previous", "change"):
            flat |= {f"{part}.{name}": value for name, value in row[part].items()}
        assert {name: "" if value is None else str(value) for name, value in flat.items()} == line


async def test_strings_have_the_digits_of_numbers(reader: Api) -> None:
    numbers = (await reader.get(f"{LIST}?compare=previous-period&meta=1")).json
    texts = (await reader.get(f"{LIST}?compare=previous-period&meta=1&amounts=string")).json

    def as_text(row: dict[str, Any]) -> dict[str, Any]:
        return {
            name: str(value) if name in MONEY and value is not None else value
            for name, value in row.items()
        }

    for row, text in zip(
        [*numbers["data"], numbers["totals"]], [*texts["data"], texts["totals"]], strict=True
    ):
        parts = {part: as_text(row[part]) for part in ("previous", "change")}
        assert as_text(row) | parts == text


async def test_a_page_is_written_as_the_whole_is(reader: Api) -> None:
    for options in ("format=json", "format=csv", "format=ndjson", "compare=previous-year"):
        whole = (await reader.get(f"{LIST}?{options}")).text
        one = await reader.get(f"{LIST}?{options}&per_page=1000")
        assert one.text == whole


async def test_a_byte_order_mark_is_written_if_asked_for(reader: Api) -> None:
    plain = await reader.get(f"{LIST}?format=csv")
    marked = await reader.get(f"{LIST}?format=csv&bom=1")
    assert marked.text == f"\ufeff{plain.text}"


async def test_accept_chooses_the_format(reader: Api) -> None:
    by_accept = await reader.get(LIST, headers={"Accept": "text/csv"})
    assert by_accept.text == (await reader.get(f"{LIST}?format=csv")).text
    assert by_accept.headers["Vary"] == "Accept, Accept-Encoding, Authorization, Cookie"
    name = by_accept.headers["Content-Disposition"]
    assert name.startswith('attachment; filename="income-by-customer_')
    assert "_2024-11-01_2024-11-30.csv" in name
    wins = await reader.get(f"{LIST}?format=ndjson", headers={"Accept": "text/csv"})
    assert wins.headers["Content-Type"].startswith("application/x-ndjson")


async def test_gzip_carries_the_same(reader: Api) -> None:
    plain = await reader.get(f"{LIST}?format=csv", headers={"Accept-Encoding": "identity"})
    url = f"http://127.0.0.1:{reader.port}{LIST}?format=csv"
    headers = {"Authorization": f"Bearer {reader.key}", "Accept-Encoding": "gzip"}
    async with reader.session.get(url, headers=headers, auto_decompress=False) as response:
        assert response.headers["ETag"] == f'{plain.headers["ETag"][:-1]}-gzip"'
        assert gzip.decompress(await response.read()).decode() == plain.text


async def test_each_form_has_a_tag_of_its_own(reader: Api) -> None:
    forms = ("format=json", "format=csv", "format=ndjson", "meta=1", "sort=id", "per_page=2")
    tags = [(await reader.get(f"{LIST}?{form}")).headers["ETag"] for form in forms]
    assert len(set(tags)) == len(forms)
    for form, tag in zip(forms, tags, strict=True):
        again = await reader.get(f"{LIST}?{form}", headers={"If-None-Match": tag})
        assert (again.status, again.text) == (304, "")


async def test_head_has_the_headers_of_get(reader: Api) -> None:
    for options in ("format=csv", "per_page=2", "meta=1"):
        got = await reader.get(f"{LIST}?{options}")
        head = await reader.ask("HEAD", f"{LIST}?{options}")
        assert (head.status, head.text) == (200, "")
        for name in ("ETag", "Content-Type", "Link", "X-Total-Count", "Content-Disposition"):
            assert head.headers.get(name) == got.headers.get(name)


HARMFUL = (
    "=1+1",
    "+49",
    "-1",
    "@x",
    "\tx",
    "\rx",
    "\uff1d1",
    "\uff0b1",
    "\uff0d1",
    "\uff201",
)
HARMLESS = ("", " =1", "'=1", 'a "quoted" name', "two\r\nlines", "a,b", "\n=1", "Ünïcödé\u2028")


@pytest.fixture
async def names(golden: str) -> AsyncIterator[asyncpg.Connection]:
    conn = await asyncpg.connect(golden)
    for number, name in enumerate((*HARMFUL, *HARMLESS), start=100):
        await conn.execute(
            "INSERT INTO customers (id, business_id, owner_id, first_name, business_name,"
            " opening_balance) VALUES ($1, 1, 1, $2, NULL, -7)",
            number,
            name,
        )
    yield conn
    await conn.close()


async def test_text_that_begins_like_a_formula_is_made_harmless(
    names: asyncpg.Connection, api: Api
) -> None:
    answer = await api.get(f"{LIST}?format=csv&sort=id")
    written = {int(line["id"]): line for line in lines(answer)}

    for number, name in enumerate(HARMFUL, start=100):
        assert written[number]["first_name"] == f"'{name}"
        assert written[number]["balance"] == "-7"
    for number, name in enumerate(HARMLESS, start=100 + len(HARMFUL)):
        assert written[number]["first_name"] == name
    # An empty text is quoted, and NULL is nothing.
    assert f'\r\n{100 + len(HARMFUL)},1,1,"",,,,' in answer.text


async def test_pages_of_csv_are_the_whole(names: asyncpg.Connection, api: Api) -> None:
    whole = lines(await api.get(f"{LIST}?format=csv"))
    by_page = [page async for page in pages(api, f"{LIST}?format=csv&per_page=7")]
    assert [line for page in by_page for line in lines(page)] == whole
    assert ids((await api.get(LIST)).json) == [int(line["id"]) for line in whole]
