"""Compares answers of the series view with the model, and with the list."""

from datetime import date

from tests.services.api.views import asks, rows, series
from tests.services.api.views.books import Account
from tests.services.api.views.case import Case
from tests.services.api.views.intervals import intervals
from tests.services.api.views.wire import assert_same, wire
from tests.services.api.views.wire import read as read_json

INTERVALS = ("day", "week", "month", "quarter", "year")
MOST = 1000


async def check(case: Case) -> None:
    """Ask for a series of all customers, or of one."""
    random = case.random
    start, end = asks.period(random)
    interval, basis = random.choice(INTERVALS), random.choice(["accrual", "cash"])
    path = f"{start}/{end}/series?interval={interval}&basis={basis}"
    one = random.choice(case.accounts)
    asked = path, start, end, interval, basis
    await _check(case, case.accounts, *asked)
    await _check(case, [one], f"{path}&id={one.customer.id}", *asked[1:])


async def _check(
    case: Case,
    accounts: list[Account],
    path: str,
    start: date,
    end: date,
    interval: str,
    basis: str,
) -> None:
    if len(intervals(start, end, interval)) > MOST:
        answer = await case.api.get(f"/api/v3/reports/customers/{path}")
        assert answer.status == 422, path
        return
    found = read_json((await case.get(path)).text)
    expected = series.series(accounts, start, end, interval, basis)
    assert_same(found["data"], wire(expected), path)
    sums = series.series_totals(expected)
    assert_same(found["totals"], wire(sums), path)
    assert_same(found["average"], wire(series.average(expected)), f"{path} average")
    of_list = rows.totals(accounts, start, end, basis)
    for name in ("amount_due", "total_paid", "invoices"):
        assert sums[name] == of_list[name], f"{path}: {name}"
