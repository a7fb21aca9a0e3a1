"""Income at a glance, over HTTP on the golden ledger."""

import json
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import asyncpg
import pytest

from services.api.views.summary.model import By
from services.api.views.summary.openapi import EXAMPLE
from tests.services.api.api_client import NOVEMBER, REPORTS, Api

ALL = f"{REPORTS}/{NOVEMBER}"
CHANGING = ("generated_at", "ledger_version")
MONEY = (
    "deposit_amount",
    "amount_due",
    "balance",
    "amount_paid",
    "online_amount_paid",
    "owing",
    "total_paid",
)


def _fixed(shown: dict[str, Any]) -> Any:
    """An answer with amounts as floats, as the document's examples have them."""
    meta = {name: value for name, value in shown["meta"].items() if name not in CHANGING}
    return json.loads(json.dumps({**shown, "meta": meta}, default=float))


async def test_the_example_of_the_document_is_an_answer(reader: Api) -> None:
    shown = (await reader.get(f"{ALL}/summary?id=4")).json
    assert _fixed(shown) == _fixed(EXAMPLE)
    assert [list(shown), list(shown["top"][0])] == [list(EXAMPLE), list(EXAMPLE["top"][0])]


@pytest.mark.parametrize("basis", ["accrual", "cash"])
async def test_the_totals_are_those_of_the_rows(reader: Api, basis: str) -> None:
    rows = (await reader.get(f"{ALL}?basis={basis}")).json
    shown = (await reader.get(f"{ALL}/summary?basis={basis}&limit=100")).json
    for name in (*MONEY, "invoice_count", "invoices"):
        assert shown["totals"][name] == sum(row[name] or 0 for row in rows), name
        by_category = sum(each[name] for each in shown["by_category"])
        assert by_category == shown["totals"][name], name
    assert shown["customers"]["count"] == len(rows)
    for of in ("count", "active"):
        by_category = sum(each["customers"][of] for each in shown["by_category"])
        assert by_category == shown["customers"][of]
    of_id = {row["id"]: row for row in rows}
    for each in shown["top"]:
        for name in (*MONEY, "invoice_count", "average_payment_terms"):
            assert each[name] == of_id[each["id"]][name]


@pytest.mark.parametrize("by", By)
async def test_the_largest_come_first(reader: Api, by: By) -> None:
    rows = (await reader.get(ALL)).json
    rows.sort(key=lambda row: (row[by] is None, -(row[by] or 0), row["id"]))
    shown = (await reader.get(f"{ALL}/summary?by={by}&limit=5")).json
    assert [each["id"] for each in shown["top"]] == [row["id"] for row in rows[:5]]
    whole = shown["totals"][by]
    for each in shown["top"]:
        exact = Decimal(each[by] or 0) * 100 / whole
        assert each["share"] == exact.quantize(Decimal("0.01"), ROUND_HALF_UP)


async def test_the_active_ones_are_counted_as_the_list_filters_them(reader: Api) -> None:
    active = (await reader.get(f"{ALL}?active=1")).json
    shown = (await reader.get(f"{ALL}/summary")).json
    assert shown["customers"]["active"] == len(active)


async def test_filters_choose_the_customers(reader: Api) -> None:
    rows = (await reader.get(f"{ALL}?category_id=12&archived=0")).json
    shown = (await reader.get(f"{ALL}/summary?category_id=12&archived=0")).json
    assert shown["customers"]["count"] == len(rows) > 0
    assert [each["category_id"] for each in shown["by_category"]] == [12]
    assert shown["meta"]["filters"] == {"category_id": [12], "archived": 0}
    nobody = (await reader.get(f"{ALL}/summary?id=99")).json
    assert nobody["customers"] == {"count": 0, "active": 0}
    assert (nobody["top"], nobody["by_category"]) == ([], [])
    assert nobody["totals"]["amount_due"] == 0


@pytest.mark.parametrize("compare", ["previous-period", "previous-year"])
async def test_another_period_is_compared_as_in_the_list(reader: Api, compare: str) -> None:
    rows = {row["id"]: row for row in (await reader.get(f"{ALL}?compare={compare}")).json}
    shown = (await reader.get(f"{ALL}/summary?compare={compare}")).json
    for each in shown["top"]:
        assert each["previous"] == rows[each["id"]]["previous"]
        assert each["change"] == rows[each["id"]]["change"]
    for of in ("previous", "change"):
        for name in ("amount_due", "total_paid", "owing", "invoice_count"):
            total = sum(row[of][name] for row in rows.values())
            assert shown["totals"][of][name] == total


async def test_amounts_may_be_texts(reader: Api) -> None:
    numbers = (await reader.get(f"{ALL}/summary?id=4")).json
    texts = (await reader.get(f"{ALL}/summary?id=4&amounts=string")).json
    assert texts["totals"]["owing"] == "-99.9"
    assert Decimal(texts["top"][0]["balance"]) == numbers["top"][0]["balance"]
    assert texts["top"][0]["share"] == 100


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("by=business_name", "by"),
        ("by=average_payment_terms", "by"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=1.5", "limit"),
        ("compare=last", "compare"),
        ("compare=previous-year&compare=previous-period", "compare"),
        ("per_page=5", "per_page"),
    ],
)
async def test_what_is_wrong_is_named(reader: Api, query: str, field: str) -> None:
    assert (await reader.get(f"{ALL}/summary?{query}")).fields == [field]


async def test_a_format_that_there_is_not_is_named_with_those_that_there_are(reader: Api) -> None:
    answer = await reader.get(f"{ALL}/summary?format=csv")
    assert answer.status == 406
    assert "json, html" in answer.json["detail"]


async def test_what_is_remembered_ends_with_a_change_of_the_ledger(api: Api, golden: str) -> None:
    paths = (f"{ALL}/summary?id=4", f"{ALL}/series?id=4", f"{ALL}/series")
    before = [(await api.get(path)).json for path in (*paths, *paths)]
    assert [each["totals"] for each in before[:3]] == [each["totals"] for each in before[3:]]
    conn = await asyncpg.connect(golden)
    await conn.execute("UPDATE invoices SET total = total + 1 WHERE business_id = 1 AND id = 1")
    await conn.close()
    for path, was in zip(paths, before, strict=False):
        now = (await api.get(path)).json
        assert now["totals"]["amount_due"] == was["totals"]["amount_due"] + 1
        assert now["meta"]["ledger_version"] != was["meta"]["ledger_version"]
