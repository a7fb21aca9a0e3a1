"""The model of the series view: what was billed and paid in each interval of a range."""

from collections.abc import Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from tests.services.api.views.books import Account
from tests.services.api.views.intervals import intervals
from tests.services.api.views.rows import (
    ZERO,
    Row,
    billed,
    paid_on_billed,
    received,
    signed,
    total,
)

FIGURES = ("amount_due", "total_paid", "received", "invoices")


def series(
    accounts: Sequence[Account], start: date, end: date, interval: str, basis: str
) -> list[Row]:
    """A row for each interval; what lies outside the range is in none."""
    return [
        {
            "start": first,
            "end": last,
            "partial": first < start or last > end,
            **_figures(accounts, max(first, start), min(last, end), basis),
        }
        for first, last in intervals(start, end, interval)
    ]


def _figures(accounts: Sequence[Account], first: date, last: date, basis: str) -> Row:
    documents = [each for account in accounts for each in billed(account, first, last)]
    came = total(each.amount for account in accounts for each in received(account, first, last))
    accrued = total(
        each.amount for account in accounts for each in paid_on_billed(account, first, last)
    )
    return {
        "amount_due": total(signed(each) for each in documents),
        "total_paid": came if basis == "cash" else accrued,
        "received": came,
        "invoices": sum(each.kind == "invoice" for each in documents),
    }


def series_totals(rows: Sequence[Row]) -> Row:
    return {name: sum((each[name] for each in rows), ZERO) for name in FIGURES}


def average(rows: Sequence[Row]) -> Row | None:
    """The mean of the intervals that the range does not cut; 4 decimals, half away from zero."""
    full = [each for each in rows if not each["partial"]]
    if not full:
        return None
    sums = series_totals(full)
    return {
        name: (Decimal(each) / len(full)).quantize(Decimal("0.0001"), ROUND_HALF_UP)
        for name, each in sums.items()
    }
