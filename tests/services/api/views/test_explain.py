"""The explanation of a figure, over HTTP on the golden ledger."""

import csv
import io
import json
import re
from datetime import date
from decimal import Decimal
from typing import Any

import asyncpg
import pytest

from services.api.reports.basis import Basis
from services.api.views.explain import query
from services.api.views.explain.fields import FIELDS
from services.api.views.explain.openapi import EXAMPLE
from services.api.views.explain.store import Question
from shared.period import Period
from tests.services.api.api_client import NOVEMBER, REPORTS, Api

ONE = f"{REPORTS}/client/4/{NOVEMBER}"
CHANGING = ("generated_at", "ledger_version")


def _fixed(shown: dict[str, Any]) -> Any:
    """An answer with amounts as floats, as the document's examples have them."""
    meta = {name: value for name, value in shown["meta"].items() if name not in CHANGING}
    parameters = shown["sql"]["parameters"]
    return json.loads(json.dumps({**shown, "sql": parameters, "meta": meta}, default=float))


async def test_the_example_of_the_document_is_an_answer(reader: Api) -> None:
    shown = (await reader.get(f"{ONE}/explain/owing")).json
    assert _fixed(shown) == _fixed(EXAMPLE)
    assert [list(shown), list(shown["data"][0])] == [list(EXAMPLE), list(EXAMPLE["data"][0])]


@pytest.mark.parametrize("basis", ["accrual", "cash"])
@pytest.mark.parametrize("field", FIELDS)
async def test_the_query_that_is_shown_yields_the_parts(
    reader: Api, readable: str, field: str, basis: str
) -> None:
    """Whoever may read the tables can repeat it, with the parameters as they are shown."""
    shown = (await reader.get(f"{ONE}/explain/{field}?basis={basis}")).json
    conn = await asyncpg.connect(readable)
    query, given = shown["sql"]["query"], shown["sql"]["parameters"]
    try:
        types = [each.name for each in (await conn.prepare(query)).get_parameters()]
        values = [
            each if kind == "int8" else date.fromisoformat(each)
            for each, kind in zip(given, types, strict=True)
        ]
        rows = await conn.fetch(query, *values)
    finally:
        await conn.close()
    expected = {(part["amount"], part["kind"], part["date"]) for part in shown["data"]}
    found = {(row["amount"], row["kind"], row["date"] and str(row["date"])) for row in rows}
    assert (found, len(rows)) == (expected, len(shown["data"]))


@pytest.mark.parametrize("field", FIELDS)
async def test_payments_are_looked_up_by_their_documents(readable: str, field: str) -> None:
    """A customer with many documents would else have the payments of all businesses read."""
    period = Period(date(2024, 11, 1), date(2024, 11, 30))
    conn = await asyncpg.connect(readable)
    await conn.execute("SET enable_nestloop = off")
    for basis in Basis:
        question = Question(1, 4, period, field, basis)
        text, given = question.called(query.first_page(question.explanation), limit=50)
        plan = "\n".join(row[0] for row in await conn.fetch(f"EXPLAIN {text}", *given))
        assert not re.search("(Hash|Merge) Join", plan)
        assert ("on payments" in plan) == ("FROM payments" in text)
    await conn.close()


@pytest.mark.parametrize("field", FIELDS)
async def test_pages_have_each_part_once_and_the_largest_first(reader: Api, field: str) -> None:
    path = f"{ONE}/explain/{field}"
    whole = (await reader.get(path)).json
    sizes = [abs(part["amount"]) for part in whole["data"]]
    assert sizes == sorted(sizes, reverse=True)
    for rows in (1, 2, 3):
        found, cursor = [], ""
        while True:
            page = (await reader.get(f"{path}?per_page={rows}{cursor}")).json
            assert page["total"] == whole["total"]
            found += page["data"]
            if page["next_cursor"] is None:
                break
            assert len(page["data"]) == rows
            cursor = f"&cursor={page['next_cursor']}"
        assert found == whole["data"]


@pytest.mark.parametrize("field", ["business_name", "id", "dateFrom", "category", "nothing", "%00"])
async def test_a_field_that_is_no_figure_is_missing(reader: Api, field: str) -> None:
    answer = await reader.get(f"{ONE}/explain/{field}")
    assert answer.status == 404
    assert answer.json["detail"] == "There is no such figure to explain."


async def test_a_figure_without_parts_is_null_if_the_row_has_null(reader: Api) -> None:
    shown = (await reader.get(f"{REPORTS}/client/4/2020-01-01/2020-01-31/explain/amount_paid")).json
    assert shown["total"] is None
    assert shown["data"] == []


async def test_a_cursor_is_good_for_its_figure_only(reader: Api, other_key: str) -> None:
    path = f"{ONE}/explain/owing?per_page=2"
    cursor = (await reader.get(path)).json["next_cursor"]
    assert (await reader.get(f"{path}&cursor={cursor}")).status == 200
    for other in (
        f"{ONE}/explain/balance?cursor={cursor}",
        f"{ONE}/explain/owing?cursor={cursor}&basis=cash",
        f"{REPORTS}/client/5/{NOVEMBER}/explain/owing?cursor={cursor}",
        f"{REPORTS}/client/4/2024-11-01/2024-11-29/explain/owing?cursor={cursor}",
        f"{ONE}/transactions?cursor={cursor}",
    ):
        assert (await reader.get(other)).fields == ["cursor"]
    assert (await reader.get(f"{path}&cursor={cursor}", key=other_key)).fields == ["cursor"]


async def test_every_fault_of_the_query_is_named(reader: Api) -> None:
    answer = await reader.get(f"{ONE}/explain/owing?per_page=0&basis=both&amounts=x&bom=2&cursor=x")
    assert sorted(answer.fields) == ["amounts", "basis", "bom", "cursor", "per_page"]


async def test_amounts_may_be_texts_of_the_same_digits(reader: Api) -> None:
    numbers = (await reader.get(f"{ONE}/explain/owing")).json
    texts = (await reader.get(f"{ONE}/explain/owing?amounts=string")).json
    assert texts["total"] == "-99.9"
    assert [Decimal(part["amount"]) for part in texts["data"]] == [
        part["amount"] for part in numbers["data"]
    ]
    counts = (await reader.get(f"{ONE}/explain/invoice_count?amounts=string")).json
    assert counts["total"] == 2


async def test_days_are_shown_as_days(reader: Api) -> None:
    shown = (await reader.get(f"{ONE}/explain/average_payment_terms")).json
    assert shown["total"] == 92
    assert [(part["days"], part["amount"]) for part in shown["data"]] == [(92, 92)]


async def test_a_file_has_all_parts_and_a_page_if_asked(reader: Api) -> None:
    whole = (await reader.get(f"{ONE}/explain/balance")).json["data"]
    for paging, rows in (("", len(whole)), ("&per_page=3", 3)):
        answer = await reader.get(f"{ONE}/explain/balance?format=csv{paging}")
        assert answer.headers["Content-Type"].startswith("text/csv")
        found = list(csv.DictReader(io.StringIO(answer.text)))
        assert [Decimal(row["amount"]) for row in found] == [
            part["amount"] for part in whole[:rows]
        ]
        assert list(found[0]) == list(whole[0])
    assert "balance-of-customer-4_" in answer.headers["Content-Disposition"]


async def test_an_answer_that_the_caller_has_is_not_sent_again(reader: Api) -> None:
    path = f"{ONE}/explain/balance"
    tag = (await reader.get(path)).headers["ETag"]
    again = await reader.get(path, headers={"If-None-Match": tag})
    assert again.status == 304
    for other in (f"{path}?amounts=string", f"{path}?format=csv", f"{ONE}/explain/owing"):
        answer = await reader.get(other, headers={"If-None-Match": tag})
        assert answer.status == 200
        assert answer.headers["ETag"] != tag
        assert answer.headers["Vary"] == "Accept, Accept-Encoding, Authorization, Cookie"


async def test_a_word_stands_for_its_dates(reader: Api) -> None:
    by_word = await reader.get(f"{REPORTS}/client/4/2024-11/explain/owing?per_page=2")
    by_dates = await reader.get(f"{ONE}/explain/owing?per_page=2")
    assert by_word.headers["Content-Location"] == f"{ONE}/explain/owing?per_page=2"
    assert by_word.json["data"] == by_dates.json["data"]
    assert by_word.headers["ETag"] == by_dates.headers["ETag"]
