"""The model against the golden ledger's published rows, and its figures against each other."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from tests.services.api.ledgers import GOLDEN
from tests.services.api.views import aging, explain, rows, series, statement, summary
from tests.services.api.views.books import Account, read_files
from tests.services.api.views.intervals import intervals, previous_period, previous_year

PERIODS = [
    (date(2024, 11, 1), date(2024, 11, 30)),
    (date(2024, 11, 15), date(2025, 2, 1)),
    (date(1, 1, 1), date(9999, 12, 31)),
]


def account(customer: int, business: int = 1) -> Account:
    [found] = [
        each for each in read_files(GOLDEN, business).accounts() if each.customer.id == customer
    ]
    return found


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.json")), ids=lambda path: path.stem)
def test_the_rows_are_the_published_ones(path: Path) -> None:
    business, start, end = path.stem.removeprefix("business-").split(".")
    published = json.loads(path.read_text("utf-8"), parse_float=Decimal)
    period = date.fromisoformat(start), date.fromisoformat(end)
    accounts = read_files(GOLDEN, int(business)).accounts()
    found = [rows.row(each, int(business), *period) for each in accounts]
    texts = {"first_name", "last_name", "phone_number"} | {
        name for name in published[0] if name.startswith("business_") and name != "business_id"
    }
    for one, other in zip(rows.in_order(found, "-balance"), published, strict=True):
        assert list(one) == list(other)
        assert {**one, **dict.fromkeys(texts)} == {**other, **dict.fromkeys(texts)}


@pytest.mark.parametrize("period", PERIODS)
@pytest.mark.parametrize("basis", ["accrual", "cash"])
def test_each_figure_is_the_sum_of_its_parts(period: tuple[date, date], basis: str) -> None:
    for each in read_files(GOLDEN, 1).accounts():
        row = rows.row(each, 1, *period, basis)
        for field in set(explain.FIELDS) - {"average_payment_terms"}:
            parts = explain.parts(each, field, *period, basis)
            assert sum(part["amount"] for part in parts) == (row[field] or 0), field


def test_ageing_on_a_day_of_the_golden_ledger() -> None:
    found = aging.amounts(account(4), date(2024, 11, 30))
    assert {name: str(amount) for name, amount in found.items() if amount} == {
        "1-30": "400.00",  # INV1, due on the 15th, of which 600.10 was paid by then
        "not_due": "0.20",  # INV2
        "credits": "-100.10",  # CN1
        "total": "300.10",
    }


@pytest.mark.parametrize("day", [date(2024, 11, 9), date(2024, 11, 30), date(2030, 1, 1)])
@pytest.mark.parametrize("limits", [(30, 60, 90), (1,), (15, 45)])
def test_the_buckets_sum_to_the_receivable_of_that_day(day: date, limits: tuple[int, ...]) -> None:
    for each in read_files(GOLDEN, 1).accounts():
        found = aging.amounts(each, day, limits)
        assert found["total"] == aging.receivable_at(each, day)
        assert list(found) == aging.columns(limits)
    assert aging.amounts(account(7), date(2030, 1, 1))["total"] == rows.receivable(account(7))


@pytest.mark.parametrize("interval", ["day", "week", "month", "quarter", "year"])
@pytest.mark.parametrize("basis", ["accrual", "cash"])
def test_a_series_sums_to_the_list(interval: str, basis: str) -> None:
    accounts, period = read_files(GOLDEN, 1).accounts(), PERIODS[1]
    sums = series.series_totals(series.series(accounts, *period, interval, basis))
    of_list = rows.totals(accounts, *period, basis)
    assert sums["amount_due"] == of_list["amount_due"]
    assert sums["total_paid"] == of_list["total_paid"]
    assert sums["invoices"] == of_list["invoices"]
    assert sums["received"] == rows.totals(accounts, *period, "cash")["total_paid"]


def test_cash_is_what_came_in_between_the_dates() -> None:
    found = rows.figures(account(4), date(2025, 2, 1), date(2025, 2, 28), "cash")
    assert (found["online_amount_paid"], found["amount_paid"]) == (400, None)
    assert (found["owing"], found["amount_due"]) == (0, 0)


@pytest.mark.parametrize("period", PERIODS)
def test_statements_reconcile(period: tuple[date, date]) -> None:
    for each in read_files(GOLDEN, 1).accounts():
        sums = statement.reconciliation(each, *period)
        lines = statement.lines(each, *period)
        last = lines[-1]["balance"] if lines else sums["opening_balance"]
        assert last == sums["closing_balance"]


def test_the_shares_of_the_largest() -> None:
    found = summary.top(read_files(GOLDEN, 1).accounts(), PERIODS[0], "accrual", limit=2)
    # Of 900.20 + 600 + 130 + 50.
    assert found == [(4, Decimal("900.20"), Decimal("53.58")), (5, 600, Decimal("35.71"))]


@pytest.mark.parametrize(
    ("start", "end", "before"),
    [
        ("2024-11-01", "2024-11-30", "2024-10-01 2024-10-31"),
        ("2024-01-01", "2024-03-31", "2023-10-01 2023-12-31"),
        ("2024-02-15", "2024-03-14", "2024-01-15 2024-02-14"),
        ("2024-01-28", "2024-02-27", "2023-12-28 2024-01-27"),
        ("2024-01-29", "2024-02-28", "2023-12-29 2024-01-28"),  # 31 days
        ("2024-03-01", "2024-03-30", "2024-01-31 2024-02-29"),  # 30 days
        ("2024-11-11", "2024-11-11", "2024-11-10 2024-11-10"),
        ("2023-01-01", "2024-12-31", "2021-01-01 2022-12-31"),
        ("9999-12-01", "9999-12-31", "9999-11-01 9999-11-30"),
    ],
)
def test_the_period_before(start: str, end: str, before: str) -> None:
    found = previous_period(date.fromisoformat(start), date.fromisoformat(end))
    assert " ".join(map(str, found)) == before


@pytest.mark.parametrize(
    ("start", "end", "before"),
    [
        ("2024-11-01", "2024-11-30", "2023-11-01 2023-11-30"),
        ("2024-02-01", "2024-02-29", "2023-02-01 2023-02-28"),
        ("2025-02-01", "2025-02-28", "2024-02-01 2024-02-29"),
        ("2025-02-28", "2025-03-15", "2024-02-29 2024-03-15"),
    ],
)
def test_the_year_before(start: str, end: str, before: str) -> None:
    found = previous_year(date.fromisoformat(start), date.fromisoformat(end))
    assert " ".join(map(str, found)) == before


def test_intervals_of_a_range() -> None:
    found = intervals(date(2024, 12, 30), date(2025, 1, 6), "week")
    assert found == [
        (date(2024, 12, 30), date(2025, 1, 5)),
        (date(2025, 1, 6), date(2025, 1, 12)),
    ]
    assert len(intervals(date(2024, 2, 29), date(2025, 3, 1), "month")) == 14
