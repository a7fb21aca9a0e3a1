"""The words and figures of a statement that text, HTML and PDF all show, computed once."""

from decimal import Decimal
from typing import Any, Final

from shared.statements.model import Business, Customer, Statement, Transaction
from shared.statements.money import MINUS, balance, figure, money
from shared.statements.wording import clock, day, initial, line, local, period, short_day
from shared.text import lines

View = dict[str, Any]

_LONG_WORD: Final = 18  # letters; shorter ones fit into their column of the PDF
_LONGEST_ADDRESS: Final = 12  # lines; a long address must not add pages

_KINDS: Final = {
    "invoice": "Invoice {}",
    "credit_note": "Credit note {}",
    "payment": "Payment on {}",
    "refund": "Refund on {}",
}
_CHANNELS: Final = {"online": "paid online", "manual": ""}


def view(statement: Statement) -> View:
    """Return every word and figure of the statement as plain strings, ready for a template."""
    currency = statement.business.currency
    prepared = local(statement.generated_at, statement.business.timezone)
    closing = statement.closing_balance
    ahead = statement.end > prepared.date()
    entered = f"as entered by {day(prepared.date())}"
    rows = [_row(transaction, currency) for transaction in statement.transactions]
    sums = _sums(statement)
    opening, close = (figure(end, currency) for end in (statement.opening_balance, closing))
    return {
        "currency": currency,
        "business": _business(statement.business),
        "customer": _customer(statement.customer),
        "period": period(statement.period),
        "prepared_at": f"{day(prepared.date())}, {clock(prepared)}",
        "opening": opening,
        "closing": close,
        "closing_money": money(closing.copy_abs(), currency),
        "closing_title": f"Balance {'expected ' if ahead else ''}on {day(statement.end)}",
        "closing_words": f"{_standing(closing)}, {entered}" if ahead else _standing(closing),
        # Documents may have a future date, so this is not the balance of a single day.
        "standing_title": f"Balance of all dates, {entered}",
        "standing_now": balance(statement.report.balance, currency),
        "sums": sums,
        "in_favour": min(_balances(statement)) < 0,
        "reconciles": statement.reconciles,
        "rows": rows,
        "longest": _longest(opening, close, sums, rows),
        "billed": _billed(statement),
    }


def _business(business: Business) -> View:
    name = line(business.name, limit=200) or f"Business {business.id}"
    contact = [line(business.phone), line(business.email)]
    return {
        "name": name,
        "short": line(name, limit=80),
        "initial": initial(name),
        "address": _address(business.address),
        "contact": list(filter(None, contact)),
    }


def _customer(customer: Customer) -> View:
    name = line(customer.display_name, limit=200) or f"Customer {customer.id}"
    person = line(f"{customer.first_name or ''} {customer.last_name or ''}")
    details = [
        person if person != name else "",
        *_address(customer.business_address),
        line(customer.business_location),
        line(customer.business_phone) or line(customer.phone_number),
        line(customer.business_email),
    ]
    return {"name": name, "short": line(name, limit=80), "details": list(filter(None, details))}


def _address(text: str | None) -> list[str]:
    kept = list(filter(None, map(line, lines(text or ""))))
    return kept if len(kept) <= _LONGEST_ADDRESS else [*kept[: _LONGEST_ADDRESS - 1], "…"]


def _standing(closing: Decimal) -> str:
    if closing == 0:
        return "nothing owed at the end of the period"
    owed = "owed" if closing > 0 else "in your favour"
    return f"{owed} at the end of the period"


def _sums(statement: Statement) -> list[View]:
    currency, totals = statement.business.currency, statement.totals
    signed = (
        ("+", "Invoiced", totals.invoiced),
        (MINUS, "Credited", totals.credited),
        (MINUS, "Paid", totals.paid),
        ("+", "Refunded", totals.refunded),
    )
    return [
        {"sign": sign, "label": label, "amount": figure(amount, currency)}
        for sign, label, amount in signed
    ]


def _row(transaction: Transaction, currency: str) -> View:
    def shown(amount: Decimal | None) -> str:
        return "" if amount is None else figure(amount, currency)

    due = transaction.due_date
    details = (
        f"due {short_day(due)}" if due else "",
        line(transaction.method),
        _CHANNELS.get(transaction.channel or "", ""),
        line(transaction.reference),
    )
    parts = list(filter(None, details))
    title = _KINDS[transaction.kind].format(line(transaction.number) or "no number")
    joined = " · ".join(parts)
    return {
        "date": short_day(transaction.date),
        "title": title,
        "details": joined,
        "parts": parts,
        "long": _has_long_word(title) or _has_long_word(joined),
        "charge": shown(transaction.charge),
        "credit": shown(transaction.credit),
        "change": figure(transaction.change, currency),
        "balance": figure(transaction.balance, currency),
    }


def _has_long_word(text: str) -> bool:
    return len(text) >= _LONG_WORD and max(map(len, text.split())) >= _LONG_WORD


def _longest(opening: str, closing: str, sums: list[View], rows: list[View]) -> int:
    """Return the length of the longest figure, by which columns are laid out."""
    figures = [opening, closing, *(part["amount"] for part in sums)]
    for row in rows:
        figures += row["change"], row["balance"]
    return max(map(len, figures))


def _balances(statement: Statement) -> list[Decimal]:
    ends = [statement.opening_balance, statement.closing_balance]
    return [*ends, *(transaction.balance for transaction in statement.transactions)]


def _billed(statement: Statement) -> View:
    report, currency = statement.report, statement.business.currency
    return {
        "invoices": f"{report.invoice_count:,}",
        "amount_due": money(report.amount_due, currency),
        "total_paid": money(report.total_paid, currency),
        "owing": money(report.owing, currency),
    }
