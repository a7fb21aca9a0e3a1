"""The model of the list: rows, filters, order, comparison and totals, in plain Decimals."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, TypeAlias

from tests.services.api.views.books import Account, Record

Row: TypeAlias = dict[str, Any]

MONEY = (
    "deposit_amount",
    "amount_due",
    "balance",
    "amount_paid",
    "online_amount_paid",
    "owing",
    "total_paid",
)
COUNTS = ("invoice_count", "invoices")
COMPARED = (
    "amount_due",
    "invoice_count",
    "amount_paid",
    "online_amount_paid",
    "total_paid",
    "owing",
    "average_payment_terms",
)
SORTS = (*MONEY, *COUNTS, "business_name", "created_at", "average_payment_terms", "id")
ZERO = Decimal(0)


@dataclass(frozen=True)
class Options:
    """What a caller asks of the list beside the period."""

    sort: str = "-balance"
    category_id: Sequence[int] = ()
    archived: int | None = None
    q: str | None = None
    id: Sequence[int] = ()
    active: bool = False
    min_balance: Decimal | None = None
    max_balance: Decimal | None = None
    min_owing: Decimal | None = None
    basis: str = "accrual"
    compare: str | None = None
    text_order: Callable[[str], Any] = field(default=str, repr=False)


def signed(document: Record) -> Decimal:
    return document.total if document.kind == "invoice" else -document.total


def total(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, ZERO)


def within(day: date, start: date, end: date) -> bool:
    return start <= day <= end


def billed(account: Account, start: date, end: date) -> list[Record]:
    """The documents of I: issued, and dated in the period."""
    return [each for each in account.documents if within(each.issue_date, start, end)]


def paid_on_billed(account: Account, start: date, end: date) -> list[Record]:
    """The payments of P: settled, on the documents of I, of any date."""
    return [paid for paid, on in account.payments if within(on.issue_date, start, end)]


def received(account: Account, start: date, end: date) -> list[Record]:
    """The settled payments on issued documents that are dated in the period themselves."""
    return [paid for paid, _ in account.payments if within(paid.paid_on, start, end)]


def deposits_held(account: Account) -> Decimal:
    return total(
        each.amount if each.type == "credit" else -each.amount for each in account.deposits
    )


def receivable(account: Account) -> Decimal:
    return (
        account.customer.opening_balance
        + total(signed(each) for each in account.documents)
        - total(paid.amount for paid, _ in account.payments)
    )


def days_to_pay(account: Account, start: date, end: date) -> list[tuple[Record, int]]:
    """The invoices of I that are paid in full, with the days that each took."""
    found = []
    for document in billed(account, start, end):
        paid = [each for each, on in account.payments if on.id == document.id]
        if document.kind != "invoice" or document.total <= 0:
            continue
        if total(each.amount for each in paid) >= document.total:
            last = max(each.paid_on for each in paid if each.amount > 0)
            found.append((document, (last - document.issue_date).days))
    return found


def mean(days: Sequence[int]) -> Decimal:
    if not days:
        return ZERO
    return (Decimal(sum(days)) / len(days)).quantize(Decimal("0.01"), ROUND_HALF_UP)


def figures(account: Account, start: date, end: date, basis: str = "accrual") -> Row:
    """The figures of a row that depend on the period."""
    documents = billed(account, start, end)
    invoices = [each for each in documents if each.kind == "invoice"]
    amount_due = total(signed(each) for each in documents)
    accrued = paid_on_billed(account, start, end)
    shown = received(account, start, end) if basis == "cash" else accrued
    manual = [each.amount for each in shown if each.channel == "manual"]
    online = [each.amount for each in shown if each.channel == "online"]
    return {
        "amount_due": amount_due,
        "invoice_count": len(invoices),
        "amount_paid": total(manual) if manual else None,
        "online_amount_paid": total(online) if online else None,
        "average_payment_terms": mean([days for _, days in days_to_pay(account, start, end)]),
        "owing": amount_due - total(each.amount for each in accrued),
        "total_paid": total(manual) + total(online),
        "invoices": len(invoices),
    }


def row(account: Account, business: int, start: date, end: date, basis: str = "accrual") -> Row:
    """Every field of a row, in the contract's order."""
    customer, of_period = account.customer, figures(account, start, end, basis)
    stored = vars(customer)
    return {
        "id": customer.id,
        "owner_id": customer.owner_id,
        "business_id": business,
        **{
            name: stored[name]
            for name in (
                "first_name",
                "last_name",
                "phone_number",
                "business_name",
                "business_address",
                "business_phone",
                "business_location",
                "business_email",
            )
        },
        "created_at": str(customer.created_at)[:19],
        "updated_at": str(customer.updated_at)[:19],
        "account_id": customer.account_id,
        "category": account.category,
        "category_id": category(customer),
        "deposit_amount": deposits_held(account),
        "deposit_account_id": customer.deposit_account_id,
        "archived": customer.archived,
        "amount_due": of_period["amount_due"],
        "invoice_count": of_period["invoice_count"],
        "balance": receivable(account),
        "amount_paid": of_period["amount_paid"],
        "online_amount_paid": of_period["online_amount_paid"],
        "dateFrom": start.isoformat(),
        "dateTo": end.isoformat(),
        **{name: of_period[name] for name in ("average_payment_terms", "owing", "total_paid")},
        "invoices": of_period["invoices"],
    }


def is_active(account: Account, start: date, end: date) -> bool:
    return bool(billed(account, start, end) or received(account, start, end))


def selected(
    accounts: Sequence[Account], start: date, end: date, options: Options
) -> list[Account]:
    """The accounts that all filters of the list admit."""
    return [each for each in accounts if _admits(each, start, end, options)]


def _admits(account: Account, start: date, end: date, options: Options) -> bool:
    customer = account.customer
    owing = figures(account, start, end)["owing"]
    names = (
        customer.business_name,
        customer.first_name,
        customer.last_name,
        customer.business_email,
    )
    return all(
        (
            not options.category_id or category(customer) in options.category_id,
            options.archived is None or customer.archived == options.archived,
            options.q is None
            or any(options.q.lower() in name.lower() for name in names if name is not None),
            not options.id or customer.id in options.id,
            not options.active or is_active(account, start, end),
            options.min_balance is None or receivable(account) >= options.min_balance,
            options.max_balance is None or receivable(account) <= options.max_balance,
            options.min_owing is None or owing >= options.min_owing,
        )
    )


def category(customer: Record) -> int:
    return 1 if customer.category_id is None else int(customer.category_id)


def in_order(rows: list[Row], sort: str, text_order: Callable[[str], Any] = str) -> list[Row]:
    """Sort by a field; equal ones by id ascending, and NULL last, in both directions."""
    name = sort.removeprefix("-")
    known = [each for each in rows if each[name] is not None]
    unknown = [each for each in rows if each[name] is None]
    known.sort(key=lambda each: each["id"])
    known.sort(
        key=lambda each: text_order(each[name]) if isinstance(each[name], str) else each[name],
        reverse=sort.startswith("-"),
    )
    return known + sorted(unknown, key=lambda each: each["id"])


def compared(account: Account, now: Row, previous: tuple[date, date], basis: str) -> Row:
    """The fields `previous` and `change` of a row."""
    then = figures(account, *previous, basis)
    return {
        "previous": {name: then[name] for name in COMPARED},
        "change": {name: (now[name] or 0) - (then[name] or 0) for name in COMPARED},
    }


def totals(accounts: Sequence[Account], start: date, end: date, basis: str) -> Row:
    """The sums over all selected customers; the mean is over all documents that count for it."""
    rows = [row(each, 0, start, end, basis) for each in accounts]
    days = [days for each in accounts for _, days in days_to_pay(each, start, end)]
    return {
        **{name: total(each[name] or ZERO for each in rows) for name in MONEY},
        **{name: sum(each[name] for each in rows) for name in COUNTS},
        "average_payment_terms": mean(days),
    }
