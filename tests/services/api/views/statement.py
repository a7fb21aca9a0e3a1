"""The model of the transactions view: one customer's account, line by line."""

from datetime import date
from decimal import Decimal
from typing import Any

from tests.services.api.views.aging import receivable_at
from tests.services.api.views.books import Account
from tests.services.api.views.intervals import DAY
from tests.services.api.views.rows import ZERO, Row, within

_RANK = {"invoice": 1, "credit_note": 1, "payment": 2, "refund": 2}


def opening(account: Account, start: date) -> Decimal:
    """The receivable at the end of the day before the period."""
    if start == date.min:
        return Decimal(account.customer.opening_balance)
    return receivable_at(account, start - DAY)


def lines(account: Account, start: date, end: date) -> list[Row]:
    """The lines of a statement: documents before payments on each day, then by id."""
    moves = [_of_document(each) for each in account.documents]
    moves += [_of_payment(paid, on) for paid, on in account.payments]
    shown = [each for each in moves if within(each["date"], start, end)]
    shown.sort(key=_place)
    balance = opening(account, start)
    for line in shown:
        balance += (line["charge"] or ZERO) - (line["credit"] or ZERO)
        line["balance"] = balance
    return shown


def reconciliation(account: Account, start: date, end: date) -> Row:
    """The sums whose terms lead from the opening balance to the closing balance."""
    shown = lines(account, start, end)
    sums = {
        "opening_balance": opening(account, start),
        "invoiced": _sum(shown, "invoice", "charge"),
        "credited": _sum(shown, "credit_note", "credit"),
        "paid": _sum(shown, "payment", "credit"),
        "refunded": _sum(shown, "refund", "charge"),
        "closing_balance": receivable_at(account, end),
    }
    leads_to = (
        sums["opening_balance"]
        + sums["invoiced"]
        - sums["credited"]
        - sums["paid"]
        + sums["refunded"]
    )
    assert leads_to == sums["closing_balance"]
    return sums


def _sum(shown: list[Row], kind: str, column: str) -> Decimal:
    return sum((each[column] for each in shown if each["kind"] == kind), ZERO)


def _place(line: Row) -> tuple[Any, ...]:
    identity = line["document_id"] if line["payment_id"] is None else line["payment_id"]
    return line["date"], _RANK[line["kind"]], identity


def _of_document(document: Any) -> Row:
    is_invoice = document.kind == "invoice"
    return {
        "date": document.issue_date,
        "kind": document.kind,
        "number": document.number,
        "document_id": document.id,
        "payment_id": None,
        "charge": document.total if is_invoice else None,
        "credit": None if is_invoice else document.total,
    }


def _of_payment(payment: Any, document: Any) -> Row:
    is_refund = payment.amount < 0
    return {
        "date": payment.paid_on,
        "kind": "refund" if is_refund else "payment",
        "number": document.number,
        "document_id": document.id,
        "payment_id": payment.id,
        "charge": -payment.amount if is_refund else None,
        "credit": None if is_refund else payment.amount,
    }
