"""Compares answers about one customer, its statement and its figures' parts, with the model."""

from datetime import date
from typing import Any

from tests.services.api.views import asks, explain, rows, statement
from tests.services.api.views.case import Case
from tests.services.api.views.wire import assert_same, wire
from tests.services.api.views.wire import read as read_json


async def check_transactions(case: Case) -> None:
    """Ask for the statement of a customer, whole and in pages."""
    account = case.random.choice(case.accounts)
    start, end = asks.period(case.random)
    path = f"client/{account.customer.id}/{start}/{end}/transactions"
    found = read_json((await case.get(path)).text)
    sums = statement.reconciliation(account, start, end)
    expected = statement.lines(account, start, end)
    assert_same(found["data"], wire(expected), path)
    assert found["opening_balance"] == wire(sums["opening_balance"]), path
    assert found["closing_balance"] == wire(sums["closing_balance"]), path
    assert_same(found["reconciliation"], {**wire(sums), "holds": True}, path)
    size = case.random.randint(1, len(expected) + 1)
    pages = await _walked(case, f"{path}?per_page={size}")
    assert_same(pages, wire(expected), f"{path} in pages of {size}")


async def check_explain(case: Case) -> None:
    """Ask for the parts of some figures; their sum is the figure."""
    account = case.random.choice(case.accounts)
    start, end = asks.period(case.random)
    basis = case.random.choice(["accrual", "cash"])
    of_list = rows.row(account, 1, start, end, basis)
    for field in case.random.sample(explain.FIELDS, 4):
        path = f"client/{account.customer.id}/{start}/{end}/explain/{field}?basis={basis}"
        found = read_json((await case.get(path)).text)
        assert found["total"] == wire(of_list[field]), path
        expected = wire(explain.parts(account, field, start, end, basis))
        assert_same(found["data"], expected, path)
        assert found["definition"]
        await _check_query(case, found["sql"], [each["amount"] for each in expected])
        size = case.random.randint(1, len(expected) + 1)
        pages = await _walked(case, f"{path}&per_page={size}")
        assert_same(pages, expected, f"{path} in pages of {size}")


async def _check_query(case: Case, sql: Any, amounts: list[str]) -> None:
    """Run the query that an answer shows, as a reader with Postgres at hand would."""
    values = [
        date.fromisoformat(each) if "-" in each else int(each)
        for each in map(str, sql["parameters"])
    ]
    found = await case.conn.fetch(sql["query"], *values)
    assert sorted(wire(each["amount"]) for each in found) == sorted(amounts), sql


async def _walked(case: Case, path: str) -> list[Any]:
    seen: list[Any] = []
    cursor: str | None = ""
    while cursor is not None:
        found = read_json((await case.get(f"{path}&cursor={cursor}" if cursor else path)).text)
        seen += found["data"]
        cursor = found["next_cursor"]
    return seen
