"""Income over time, over HTTP on the golden ledger."""

import csv
import io
import json
from typing import Any

import pytest

from services.api.views.series.openapi import EXAMPLE
from tests.services.api.api_client import NOVEMBER, REPORTS, Api

START, END = "2024-10-15", "2025-02-10"
ALL = f"{REPORTS}/{START}/{END}"
CHANGING = ("generated_at", "ledger_version")


def _fixed(shown: dict[str, Any]) -> Any:
    """An answer with amounts as floats, as the document's examples have them."""
    meta = {name: value for name, value in shown["meta"].items() if name not in CHANGING}
    return json.loads(json.dumps({**shown, "meta": meta}, default=float))


async def test_the_example_of_the_document_is_an_answer(reader: Api) -> None:
    shown = (await reader.get(f"{REPORTS}/{NOVEMBER}/series?id=4")).json
    assert _fixed(shown) == _fixed(EXAMPLE)
    assert [list(shown), list(shown["data"][0])] == [list(EXAMPLE), list(EXAMPLE["data"][0])]


@pytest.mark.parametrize("interval", ["day", "week", "month", "quarter", "year"])
@pytest.mark.parametrize("basis", ["accrual", "cash"])
async def test_each_interval_has_the_figures_of_its_days(
    reader: Api, interval: str, basis: str
) -> None:
    shown = (await reader.get(f"{ALL}/series?interval={interval}&basis={basis}")).json
    for each in shown["data"]:
        start, end = max(each["start"], START), min(each["end"], END)
        period = f"{start}/{end}"
        alone = (await reader.get(f"{REPORTS}/{period}/series?interval=year&basis={basis}")).json
        for name in ("amount_due", "total_paid", "received", "invoices"):
            assert each[name] == alone["totals"][name]
    for name in ("amount_due", "total_paid", "received", "invoices"):
        assert sum(each[name] for each in shown["data"]) == shown["totals"][name]


async def test_the_customers_add_up_to_the_business(reader: Api) -> None:
    whole = (await reader.get(f"{ALL}/series")).json["data"]
    parts = [
        (await reader.get(f"{ALL}/series?id={customer}")).json["data"] for customer in range(1, 8)
    ]
    for place, interval in enumerate(whole):
        for name in ("amount_due", "total_paid", "received", "invoices"):
            assert interval[name] == sum(part[place][name] for part in parts)


async def test_the_mean_is_that_of_full_intervals(reader: Api) -> None:
    shown = (await reader.get(f"{ALL}/series")).json
    full = [each for each in shown["data"] if not each["partial"]]
    assert [each["start"] for each in full] == ["2024-11-01", "2024-12-01", "2025-01-01"]
    for name in ("amount_due", "total_paid", "received", "invoices"):
        mean = sum(each[name] for each in full) / 3
        assert float(shown["average"][name]) == pytest.approx(float(mean), abs=0.00005)
    assert (await reader.get(f"{REPORTS}/2024-11-02/2024-11-29/series")).json["average"] is None


async def test_an_unknown_customer_is_missing(reader: Api) -> None:
    assert (await reader.get(f"{ALL}/series?id=99")).status == 404


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("interval=hour", "interval"),
        ("interval=", "interval"),
        ("id=x", "id"),
        ("id=9223372036854775808", "id"),
        ("id=4&id=5", "id"),
        ("basis=both", "basis"),
        ("format=pdfs", "format"),
        ("sort=start", "sort"),
    ],
)
async def test_what_is_wrong_is_named(reader: Api, query: str, field: str) -> None:
    assert (await reader.get(f"{ALL}/series?{query}")).fields == [field]


async def test_too_many_intervals_are_refused(reader: Api) -> None:
    path = f"{REPORTS}/0001-01-01/9999-12-31/series"
    for interval in ("day", "year"):
        assert (await reader.get(f"{path}?interval={interval}")).fields == ["interval"]


async def test_a_file_has_the_intervals(reader: Api) -> None:
    shown = (await reader.get(f"{ALL}/series")).json["data"]
    answer = await reader.get(f"{ALL}/series?format=csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["start"] for row in rows] == [each["start"] for each in shown]
    assert [row["partial"] for row in rows] == [str(int(each["partial"])) for each in shown]
    assert "income-by-month_" in answer.headers["Content-Disposition"]


async def test_amounts_may_be_texts(reader: Api) -> None:
    shown = (await reader.get(f"{REPORTS}/{NOVEMBER}/series?id=4&amounts=string")).json
    assert shown["totals"] == {
        "amount_due": "900.2",
        "total_paid": "1000.1",
        "received": "1100.1",
        "invoices": 2,
    }
