"""Compares answers of the summary with the model."""

from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from tests.services.api.views import asks, rows, summary
from tests.services.api.views.books import Account
from tests.services.api.views.case import Case
from tests.services.api.views.list_check import PREVIOUS
from tests.services.api.views.wire import assert_same, wire
from tests.services.api.views.wire import read as read_json

BY = (*rows.MONEY, *rows.COUNTS)
_ORDER = (
    "deposit_amount",
    "amount_due",
    "invoice_count",
    "balance",
    "amount_paid",
    "online_amount_paid",
    "average_payment_terms",
    "owing",
    "total_paid",
    "invoices",
)


async def check(case: Case) -> None:
    """Ask for the business at a glance, with filters and a comparison."""
    random = case.random
    period = asks.period(random)
    asked = replace(asks.options(random), sort="-balance")
    by, limit = random.choice(BY), random.randint(1, 12)
    query = asks.query(asked).partition("&")[2]
    path = f"{period[0]}/{period[1]}/summary?{urlencode({'by': by, 'limit': limit})}&{query}"
    found = read_json((await case.get(path)).text)
    chosen = rows.selected(case.accounts, *period, asked)
    whole = _sums(chosen, period, asked)
    assert_same(found["totals"], wire(whole), f"{path} totals")
    assert_same(found["customers"], wire(summary.counts(chosen, *period)), path)
    largest = rows.in_order([_row(each, period, asked) for each in chosen], f"-{by}")[:limit]
    expected = [{**each, "share": summary.share(each[by], whole[by])} for each in largest]
    assert_same(found["top"], wire(expected), f"{path} top")
    _check_categories(found["by_category"], chosen, period, asked, path)


def _check_categories(
    shown: list[dict[str, Any]], chosen: list[Account], period: Any, asked: Any, path: str
) -> None:
    of_each: dict[int, list[Account]] = {}
    for account in chosen:
        of_each.setdefault(rows.category(account.customer), []).append(account)
    assert {int(each["category_id"]) for each in shown} == of_each.keys(), path
    for each in shown:
        accounts = of_each[int(each["category_id"])]
        assert each["category"] == accounts[0].category
        assert_same(each["customers"], wire(summary.counts(accounts, *period)), path)
        sums = wire(_sums(accounts, period, asked))
        assert_same({name: each[name] for name in sums}, sums, f"{path} {each['category']}")


def _sums(accounts: list[Account], period: Any, asked: rows.Options) -> rows.Row:
    sums = rows.totals(accounts, *period, asked.basis)
    found = {name: sums[name] for name in _ORDER}
    if asked.compare:
        then = rows.totals(accounts, *PREVIOUS[asked.compare](*period), asked.basis)
        found["previous"] = {name: then[name] for name in rows.COMPARED}
        found["change"] = {name: sums[name] - then[name] for name in rows.COMPARED}
    return found


def _row(account: Account, period: Any, asked: rows.Options) -> rows.Row:
    row = rows.row(account, 0, *period, asked.basis)
    found: dict[str, Any] = {name: row[name] for name in ("id", "business_name", *_ORDER)}
    if asked.compare:
        found |= rows.compared(account, row, PREVIOUS[asked.compare](*period), asked.basis)
    return found
