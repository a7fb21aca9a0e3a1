"""The model of the explain view: the records that sum to a figure, each with its part."""

from datetime import date
from decimal import Decimal

from tests.services.api.views.books import Account, Record
from tests.services.api.views.rows import (
    Row,
    billed,
    days_to_pay,
    signed,
    within,
)

FIELDS = (
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
_CHANNELS = {
    "amount_paid": ("manual",),
    "online_amount_paid": ("online",),
    "total_paid": ("manual", "online"),
}


def parts(account: Account, field: str, start: date, end: date, basis: str) -> list[Row]:
    """The parts of a figure, largest absolute amount first, then by the ids of the records."""
    found = _parts(account, field, start, end, basis)
    if field == "average_payment_terms":
        found = [{"amount": each["amount"], "days": each["amount"], **each} for each in found]
    return sorted(found, key=_place)


def _place(part: Row) -> tuple[Decimal, int, int]:
    ids = part["document_id"], part["deposit_id"], -1
    return (
        -abs(part["amount"]),
        next(each for each in ids if each is not None),
        -1 if part["payment_id"] is None else part["payment_id"],
    )


def _parts(account: Account, field: str, start: date, end: date, basis: str) -> list[Row]:
    if field in _CHANNELS:
        return _paid(account, _CHANNELS[field], start, end, basis)
    documents = billed(account, start, end)
    accrued = [(paid, on) for paid, on in account.payments if within(on.issue_date, start, end)]
    everything = {
        "deposit_amount": [_deposit(each) for each in account.deposits],
        "amount_due": _signed(documents),
        "average_payment_terms": [
            _document(each, Decimal(days)) for each, days in days_to_pay(account, start, end)
        ],
        "balance": [
            _part("opening_balance", account.customer.opening_balance),
            *_signed(account.documents),
            *_subtracted(account.payments),
        ],
        "owing": [*_signed(documents), *_subtracted(accrued)],
    }
    counted = [_document(each, Decimal(1)) for each in documents if each.kind == "invoice"]
    return everything.get(field, counted)


def _paid(
    account: Account, channels: tuple[str, ...], start: date, end: date, basis: str
) -> list[Row]:
    return [
        _payment(paid, on, paid.amount)
        for paid, on in account.payments
        if paid.channel in channels
        and within(paid.paid_on if basis == "cash" else on.issue_date, start, end)
    ]


def _signed(documents: list[Record]) -> list[Row]:
    return [_document(each, signed(each)) for each in documents]


def _subtracted(payments: list[tuple[Record, Record]]) -> list[Row]:
    return [_payment(paid, on, -paid.amount) for paid, on in payments]


def _deposit(deposit: Record) -> Row:
    amount = deposit.amount if deposit.type == "credit" else -deposit.amount
    return _part("deposit", amount, date=deposit.entry_date, deposit_id=deposit.id)


def _document(document: Record, amount: Decimal) -> Row:
    return _part(
        document.kind,
        amount,
        date=document.issue_date,
        document_id=document.id,
        number=document.number,
        status=document.status,
    )


def _payment(payment: Record, document: Record, amount: Decimal) -> Row:
    return _part(
        "refund" if payment.amount < 0 else "payment",
        amount,
        date=payment.paid_on,
        document_id=document.id,
        payment_id=payment.id,
        number=document.number,
        status=payment.status,
    )


def _part(kind: str, amount: Decimal, **known: object) -> Row:
    names = ("document_id", "payment_id", "deposit_id", "date", "number")
    found = {name: known.get(name) for name in names}
    return {"amount": amount, **found, "kind": kind, "status": known.get("status")}
