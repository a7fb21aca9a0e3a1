"""The model of the summary view: the largest customers, and the sums by category."""

from collections.abc import Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from tests.services.api.views.books import Account
from tests.services.api.views.rows import Row, in_order, is_active, row, totals


def counts(accounts: Sequence[Account], start: date, end: date) -> Row:
    active = [each for each in accounts if is_active(each, start, end)]
    return {"count": len(accounts), "active": len(active)}


def top(
    accounts: Sequence[Account],
    period: tuple[date, date],
    basis: str,
    by: str = "amount_due",
    limit: int = 10,
) -> list[tuple[int, Decimal | None, Decimal | None]]:
    """The largest customers: id, figure, and share of the total in percent."""
    rows = [row(each, 0, *period, basis) for each in accounts]
    whole = totals(accounts, *period, basis)[by]
    return [
        (each["id"], each[by], share(each[by], whole)) for each in in_order(rows, f"-{by}")[:limit]
    ]


def share(part: Decimal | None, whole: Decimal) -> Decimal | None:
    """A part in percent; none if the whole is zero, of which nothing is a share."""
    if not whole:
        return None
    return (Decimal(part or 0) * 100 / whole).quantize(Decimal("0.01"), ROUND_HALF_UP)


def by_category(accounts: Sequence[Account], start: date, end: date, basis: str) -> dict[int, Row]:
    """The totals of each category that a customer has; those without one are in category 1."""
    found: dict[int, list[Account]] = {}
    for account in accounts:
        category = account.customer.category_id
        found.setdefault(1 if category is None else category, []).append(account)
    return {each: totals(of, start, end, basis) for each, of in found.items()}
