"""CSV, NDJSON and JSON of a report, read back by the standard library."""

import csv
import gzip
import io
import json
from collections.abc import Sequence
from decimal import Decimal

import pytest

from services.api.formats.report import Value
from shared.csv_text import guarded
from tests.services.api.formats.reports import (
    COLUMNS,
    FORMULAS,
    NAMES,
    Served,
    client_of,
    report_of,
    rows_of,
    total,
)

ROWS = rows_of()


async def text(query: str, rows: Sequence[Sequence[Value]] = ROWS) -> str:
    async with client_of(Served(report_of(rows))) as client:
        answer = await client.get(f"/?{query}")
        assert answer.status == 200
        return (await answer.read()).decode()


async def records(rows: Sequence[Sequence[Value]] = ROWS) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(await text("format=csv", rows), newline="")))


async def test_csv_has_every_value_under_its_name() -> None:
    found = await records()
    assert [each["id"] for each in found] == [str(row[0]) for row in ROWS]
    assert [each["business_name"] for each in found] == [guarded(name or "") for name in NAMES]
    assert (found[0]["created_at"], found[0]["issue_date"]) == ("0001-01-01 00:00:00", "1850-12-31")
    assert (found[1]["created_at"], found[1]["issue_date"]) == ("2021-03-28 02:30:15", "2024-02-29")
    assert found[1]["previous.amount_due"] == ""
    assert [each["amount_due"] for each in found[:6]] == [
        *("1234.5", "-99.9", "0.1234", "0", "0", "12345678901.2345")
    ]
    assert sum(Decimal(each["amount_due"]) for each in found) == total(ROWS, "amount_due")
    assert {each["average_payment_terms"] for each in found} == {"-12.25"}


async def test_csv_is_that_of_the_rfc() -> None:
    lines = (await text("format=csv")).split("\r\n")
    assert lines[0] == ",".join(column.name for column in COLUMNS)
    assert lines[-1] == ""
    # NULL is empty, and the empty text is a quoted one.
    assert lines[5].startswith('4,"",')
    assert lines[6].startswith("4,,")


@pytest.mark.parametrize("formula", FORMULAS)
async def test_text_that_would_be_calculated_is_guarded(formula: str) -> None:
    (found,) = await records(rows_of([formula]))
    assert found["business_name"] == f"'{formula}"


async def test_neither_negative_numbers_nor_harmless_texts_are_guarded() -> None:
    assert [guarded(each) for each in (" =1", "a=1", "1-2", "", "'=1")] == [
        *(" =1", "a=1", "1-2", "", "'=1")
    ]
    assert "'-" not in await text("format=csv", rows_of(["Acme"] * 6))


async def test_a_byte_order_mark_is_there_on_request() -> None:
    assert (await text("format=csv&bom=1")).startswith("\ufeffid,")
    assert (await text("format=csv&bom=0")).startswith("id,")
    async with client_of(Served(report_of(ROWS))) as client:
        refused = await client.get("/?format=csv&bom=yes")
        assert refused.status == 422
        assert (await refused.json())["errors"] == [{"field": "bom", "message": "should be 0 or 1"}]


async def test_ndjson_has_an_object_for_each_row() -> None:
    found = [
        json.loads(line, parse_float=Decimal) for line in (await text("format=ndjson")).splitlines()
    ]
    assert [each["id"] for each in found] == [row[0] for row in ROWS]
    assert [each["business_name"] for each in found] == list(NAMES)
    assert sum(each["amount_due"] for each in found) == total(ROWS, "amount_due")


@pytest.mark.parametrize("count", [0, 1, 5, 6, 24])
async def test_json_is_an_object_with_rows_totals_and_meta(count: int) -> None:
    rows = ROWS[:count]
    found = json.loads(await text("format=json", rows), parse_float=Decimal)
    assert [each["business_name"] for each in found["data"]] == [row[1] for row in rows]
    assert found["totals"] == {
        "amount_due": total(rows, "amount_due"),
        "invoice_count": total(rows, "invoice_count"),
    }
    assert found["meta"]["definition"] == "2026-11"


async def test_an_empty_report_is_a_header_alone() -> None:
    assert (await text("format=csv", [])).count("\r\n") == 1
    assert await text("format=ndjson", []) == ""


@pytest.mark.parametrize(
    ("word", "media", "place"),
    [
        ("csv", "text/csv; charset=utf-8", "attachment"),
        ("ndjson", "application/x-ndjson; charset=utf-8", "attachment"),
        ("json", "application/json; charset=utf-8", None),
    ],
)
async def test_the_headers_say_what_it_is(word: str, media: str, place: str | None) -> None:
    async with client_of(Served(report_of(ROWS))) as client:
        for method in ("GET", "HEAD"):
            answer = await client.request(
                method, f"/?format={word}", headers={"Accept-Encoding": "gzip"}
            )
            assert answer.headers["Content-Type"] == media
            assert answer.headers["ETag"] == '"tag-gzip"'
            assert answer.headers["Content-Encoding"] == "gzip"
            named = answer.headers.get("Content-Disposition")
            assert (named is None) == (place is None)
            if named is not None:
                assert named.startswith(f'{place}; filename="income-by-customer_soren-son_2026-01')
        plain = await client.get(f"/?format={word}", headers={"Accept-Encoding": "identity"})
        assert plain.headers["ETag"] == '"tag"'


async def test_text_comes_compressed_to_who_prefers_it() -> None:
    async with client_of(Served(report_of(ROWS))) as client:
        client.session._auto_decompress = False
        answer = await client.get("/?format=csv", headers={"Accept-Encoding": "gzip"})
        coded = await answer.read()
    assert gzip.decompress(coded).decode() == await text("format=csv")
