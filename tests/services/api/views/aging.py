"""The model of the ageing view: who owes what at the end of a day, and for how long already."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from tests.services.api.views.books import Account, Record
from tests.services.api.views.rows import ZERO, Row, signed, total

LIMITS = (30, 60, 90)


def columns(limits: Sequence[int] = LIMITS) -> list[str]:
    """The names of the amounts of a row, in order."""
    firsts = [1, *(limit + 1 for limit in limits)]
    ranges = [f"{first}-{last}" for first, last in zip(firsts, limits, strict=False)]
    return [
        "not_due",
        *ranges,
        f"over_{limits[-1]}",
        "no_due_date",
        "credits",
        "opening",
        "total",
    ]


def open_part(account: Account, document: Record, as_of: date) -> Decimal:
    """What is unpaid of a document at the end of a day; negative if more was paid than billed."""
    stands = signed(document) if document.issue_date <= as_of else ZERO
    return stands - total(
        paid.amount
        for paid, on in account.payments
        if on.id == document.id and paid.paid_on <= as_of
    )


def amounts(account: Account, as_of: date, limits: Sequence[int] = LIMITS) -> Row:
    """The buckets of a customer, and their sum."""
    found = dict.fromkeys(columns(limits), ZERO)
    found["opening"] = account.customer.opening_balance
    for document in account.documents:
        part = open_part(account, document, as_of)
        if part < 0:
            found["credits"] += part
        elif part > 0:
            found[_bucket(document, as_of, limits)] += part
    found["total"] = total(found.values())
    return found


def _bucket(document: Record, as_of: date, limits: Sequence[int]) -> str:
    if document.due_date is None:
        return "no_due_date"
    days = (as_of - document.due_date).days
    if days <= 0:
        return "not_due"
    firsts = [1, *(limit + 1 for limit in limits)]
    for first, last in zip(firsts, limits, strict=False):
        if first <= days <= last:
            return f"{first}-{last}"
    return f"over_{limits[-1]}"


def has_part(found: Row) -> bool:
    return any(amount != 0 for amount in found.values())


def receivable_at(account: Account, day: date) -> Decimal:
    """The receivable balance at the end of a day, from the moves up to it and no buckets."""
    return (
        account.customer.opening_balance
        + total(signed(each) for each in account.documents if each.issue_date <= day)
        - total(paid.amount for paid, _ in account.payments if paid.paid_on <= day)
    )
