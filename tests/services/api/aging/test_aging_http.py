"""The ageing over HTTP: by hand on the golden ledger, its parameters, pages and formats."""

import csv
import io
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from itertools import chain
from typing import Any

import asyncpg
import openpyxl
import pytest

from tests.services.api.api_client import REPORTS, Api
from tests.services.api.reports.listing.walks import ids, last, pages

AGING = f"{REPORTS}/aging"
NOVEMBER = f"{AGING}?as_of=2024-11-30"


async def rows(api: Api, path: str) -> dict[int, dict[str, Any]]:
    answer = await api.get(path)
    assert answer.status == 200, answer.text
    return {row["id"]: row for row in answer.json["data"]}


async def test_the_golden_ledger_by_hand(reader: Api) -> None:
    november = await rows(reader, NOVEMBER)
    assert november[4] == {
        "id": 4,
        "business_name": "Ɛsi Ɔfori Enterprise, Ltd",
        "not_due": Decimal("0.2"),
        "1-30": 400,
        "31-60": 0,
        "61-90": 0,
        "over_90": 0,
        "no_due_date": 0,
        "credits": Decimal("-100.1"),
        "opening": 0,
        "total": Decimal("300.1"),
    }
    assert (november[5]["1-30"], november[5]["total"]) == (150, 150)
    assert november[6]["total"] == 0
    assert (november[7]["credits"], november[7]["opening"]) == (Decimal("-25.5"), -10)
    assert list(november) == [1, 2, 3, 4, 5, 6, 7]
    before = await rows(reader, f"{AGING}?as_of=2024-11-12&buckets=3")
    assert (before[4]["not_due"], before[4]["total"]) == (900, 900)
    assert list(before[4]) == [
        *("id", "business_name", "not_due", "1-3", "over_3", "no_due_date"),
        *("credits", "opening", "total"),
    ]


async def test_totals_and_meta(reader: Api) -> None:
    answer = (await reader.get(f"{NOVEMBER}&buckets=15,45&per_page=2")).json
    whole = (await reader.get(f"{NOVEMBER}&buckets=15,45")).json
    assert answer["totals"] == whole["totals"]
    for name, total in whole["totals"].items():
        assert total == sum(row[name] for row in whole["data"])
    meta = whole["meta"]
    assert (meta["as_of"], meta["buckets"]) == ("2024-11-30", [15, 45])
    assert (meta["from"], meta["to"]) == ("0001-01-01", "2024-11-30")
    assert "changed or deleted after that day is included" in meta["later_edits"]
    assert meta["ledger_version"]


async def test_today_without_future_documents_is_the_balance_of_the_list(reader: Api) -> None:
    answer = await reader.get(AGING)
    today = datetime.now(UTC).date().isoformat()
    assert answer.json["meta"]["as_of"] == today
    assert answer.headers["Content-Location"] == f"{AGING}?as_of={today}"
    balances = (await reader.get(f"{REPORTS}/2024-11-01/2024-11-30")).json
    assert [(row["id"], row["total"]) for row in answer.json["data"]] == [
        (row["id"], row["balance"]) for row in balances
    ]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("sort=id", [1, 2, 3, 4, 5, 6, 7]),
        ("sort=-1-30", [4, 5, 1, 2, 3, 6, 7]),
        ("sort=credits", [4, 7, 1, 2, 3, 5, 6]),
        ("sort=business_name", [2, 1, 3, 4, 6, 7, 5]),
        ("sort=-total&archived=1", [6]),
        ("category_id=12", [4, 5]),
        ("q=AMIN", [1]),
        ("id=7&id=4", [4, 7]),
        ("active=1", [1, 2, 3, 4, 5, 7]),
        ("active=1&q=gone", []),
    ],
)
async def test_sorts_and_filters(reader: Api, query: str, expected: list[int]) -> None:
    answer = (await reader.get(f"{NOVEMBER}&{query}")).json
    assert ids(answer["data"]) == expected
    assert answer["totals"]["total"] == sum(row["total"] for row in answer["data"])


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("as_of=2024-02-30", ["as_of"]),
        ("as_of=this-month", ["as_of"]),
        ("buckets=", ["buckets"]),
        ("buckets=30,30", ["buckets"]),
        ("buckets=0,5", ["buckets"]),
        ("buckets=3651", ["buckets"]),
        ("buckets=1,2,3,4,5,6,7,8,9", ["buckets"]),
        ("buckets=15&sort=1-30", ["sort"]),
        ("sort=balance&per_page=0&as_of=1", ["as_of", "per_page", "sort"]),
        ("period=this-month", ["period"]),
        ("min_balance=1", ["min_balance"]),
        ("cursor=AAAAAAAAAAAAAAAAAAAA", ["cursor"]),
    ],
)
async def test_faults_name_the_parameters(reader: Api, query: str, fields: list[str]) -> None:
    assert sorted((await reader.get(f"{AGING}?{query}")).fields) == fields


@pytest.mark.parametrize("sort", ["-total", "total", "-1-30", "business_name", "-credits", "id"])
async def test_pages_of_every_size_are_the_whole(reader: Api, sort: str) -> None:
    expected = (await reader.get(f"{NOVEMBER}&sort={sort}")).json["data"]
    for size in range(1, len(expected) + 2):
        path = f"{NOVEMBER}&sort={sort}&per_page={size}"
        forward = [page.json["data"] async for page in pages(reader, path)]
        backward = [
            page.json["data"] async for page in pages(reader, await last(reader, path), "prev")
        ]
        numbered = [page.json["data"] async for page in pages(reader, f"{path}&page=1")]
        assert list(chain.from_iterable(forward)) == expected
        assert list(chain.from_iterable(backward[::-1])) == expected
        assert numbered == forward


async def test_a_cursor_counts_for_its_day_and_buckets_only(reader: Api) -> None:
    cursor = (await last(reader, f"{NOVEMBER}&per_page=2")).partition("cursor=")[2]
    assert (await reader.get(f"{NOVEMBER}&per_page=2&cursor={cursor}")).status == 200
    for other in ("as_of=2024-11-29", "as_of=2024-11-30&buckets=1", "as_of=2024-11-30&sort=total"):
        answer = await reader.get(f"{AGING}?{other}&per_page=2&cursor={cursor}")
        assert answer.fields == ["cursor"]


async def test_csv_and_the_page_show_the_same(reader: Api) -> None:
    data = (await reader.get(NOVEMBER)).json["data"]
    answer = await reader.get(f"{NOVEMBER}&format=csv")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert 'filename="aging_' in answer.headers["Content-Disposition"]
    head, *lines = csv.reader(io.StringIO(answer.text))
    assert head == list(data[0])
    for line, row in zip(lines, data, strict=True):
        assert line[1] == row["business_name"]
        assert [Decimal(each) for each in line[2:]] == list(row.values())[2:]
    page = await reader.get(f"{NOVEMBER}&format=html")
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "Ɛsi Ɔfori Enterprise, Ltd" in page.text
    assert (await reader.get(f"{NOVEMBER}&format=pdf")).status == 406


async def test_the_workbook_has_the_rows_and_their_totals(reader: Api) -> None:
    expected = (await reader.get(f"{NOVEMBER}&sort=id")).json
    url = f"http://127.0.0.1:{reader.port}{NOVEMBER}&sort=id&format=xlsx"
    key = {"Authorization": f"Bearer {reader.key}"}
    async with reader.session.get(url, headers=key) as answer:
        assert answer.status == 200
        book = openpyxl.load_workbook(io.BytesIO(await answer.read()))
    head, *lines = book.worksheets[0].iter_rows(values_only=True)
    assert len(lines) == len(expected["data"])
    for line, row in zip(lines, expected["data"], strict=True):
        assert [Decimal(str(each)) for each in line[2:]] == list(row.values())[2:]
    assert len(head) == len(expected["data"][0])


@pytest.fixture
async def conn(golden: str) -> AsyncIterator[asyncpg.Connection]:
    conn = await asyncpg.connect(golden)
    yield conn
    await conn.close()


async def test_the_tag_covers_the_day_the_buckets_and_the_ledger(
    api: Api, conn: asyncpg.Connection
) -> None:
    first = await api.get(NOVEMBER)
    tag = {"If-None-Match": first.headers["ETag"]}
    assert (await api.get(NOVEMBER, headers=tag)).status == 304
    for other in (f"{AGING}?as_of=2024-12-01", f"{NOVEMBER}&buckets=5", f"{NOVEMBER}&format=csv"):
        assert (await api.get(other, headers=tag)).status == 200
    # Neither changes a figure of the list.
    for change in (
        "UPDATE invoices SET due_date = '2024-01-01' WHERE id = 1",
        "UPDATE payments SET paid_on = paid_on + 30 WHERE id = 1",
    ):
        await conn.execute(change)
        changed = await api.get(NOVEMBER, headers=tag)
        assert changed.status == 200
        tag = {"If-None-Match": changed.headers["ETag"]}


async def test_amounts_beyond_a_float_are_exact(api: Api, conn: asyncpg.Connection) -> None:
    await conn.execute(
        """INSERT INTO invoices
            (business_id, id, customer_id, number, kind, status, issue_date, total)
        SELECT 1, 100 + n, 6, 'N', 'invoice', 'issued', '2024-11-01', 99999999999999.9999
        FROM generate_series(1, 3) n"""
    )
    for path in (NOVEMBER, f"{NOVEMBER}&per_page=5"):
        row = (await api.get(path)).json["data"][0]
        assert row["no_due_date"] == row["total"] == Decimal("299999999999999.9997")


async def test_amounts_may_be_texts_of_the_same_digits(api: Api) -> None:
    for path in (NOVEMBER, f"{NOVEMBER}&per_page=3"):
        numbers = (await api.get(path)).json
        texts = (await api.get(f"{path}&amounts=string")).json
        for of_number, of_text in zip(
            [*numbers["data"], numbers["totals"]], [*texts["data"], texts["totals"]], strict=True
        ):
            assert list(of_text) == list(of_number)
            amounts = [name for name in of_text if name not in {"id", "business_name"}]
            assert all(isinstance(of_text[name], str) for name in amounts)
            assert {name: Decimal(of_text[name]) for name in amounts} == {
                name: of_number[name] for name in amounts
            }
        assert numbers["totals"]["total"] != 0
    assert (await api.get(f"{NOVEMBER}&amounts=float")).fields == ["amounts"]


@pytest.mark.parametrize("sort", ["-total", "total", "business_name"])
async def test_rows_that_stay_come_once_while_others_come_and_go(
    api: Api, conn: asyncpg.Connection, sort: str
) -> None:
    luck = random.Random(sort)
    for size in range(1, 8):
        for direction in ("next", "prev"):
            path = f"{NOVEMBER}&sort={sort}&per_page={size}"
            seen: list[int] = []
            start = path if direction == "next" else await last(api, path)
            async for page in pages(api, start, direction):
                seen += ids(page.json["data"])
                await conn.execute("DELETE FROM customers WHERE business_id = 1 AND id > 90")
                await conn.execute(
                    "INSERT INTO customers (business_id, id, owner_id, business_name,"
                    " opening_balance) SELECT 1, 90 + n, 1, $1, $2 FROM generate_series(1, 3) n",
                    luck.choice([None, "A", "Part", "Z"]),
                    luck.choice([Decimal(-50), Decimal(0), Decimal(200), Decimal(9_000_000)]),
                )
            assert sorted(each for each in seen if each < 90) == [1, 2, 3, 4, 5, 6, 7]
