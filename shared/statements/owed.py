"""What a customer owes, in words: at the end of the period, by age, overdue, and how to pay it."""

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from shared.statements import pay_link
from shared.statements.language import Language
from shared.statements.model import Statement
from shared.statements.open_parts import Aging

_ZERO: Final = Decimal(0)


def balance(value: Decimal, currency: str, language: Language) -> str:
    """Return a balance in words from the customer's side, without a sign to misread."""
    amount = language.money(value.copy_abs(), currency)
    if value > 0:
        return language.say("{amount} owed", amount=amount)
    if value < 0:
        return language.say("{amount} in your favour", amount=amount)
    return language.say("{amount}, nothing owed", amount=amount)


def standing(closing: Decimal, language: Language) -> str:
    """Return what the closing balance is, to be read after its amount."""
    if closing > 0:
        return language.say("owed at the end of the period")
    if closing < 0:
        return language.say("in your favour at the end of the period")
    return language.say("nothing owed at the end of the period")


def headline(statement: Statement, language: Language) -> list[dict[str, str]]:
    """Return the three figures that matter, none with a sign: billed, paid and owing."""
    totals, closing = statement.totals, statement.closing_balance
    billed, paid = totals.invoiced - totals.credited, totals.paid - totals.refunded
    say, currency = language.say, statement.business.currency
    figures = (
        (say("Billed") if billed >= 0 else say("Credited"), billed),
        (say("Paid") if paid >= 0 else say("Refunded"), paid),
        (say("Owing") if closing >= 0 else say("In your favour"), closing),
    )
    return [
        {"label": label, "amount": language.money(amount.copy_abs(), currency)}
        for label, amount in figures
    ]


def billed(statement: Statement, language: Language) -> dict[str, str]:
    """Return what was billed in the period and what is paid of it, none with a sign."""
    report, currency = statement.report, statement.business.currency
    return {
        "invoices": language.numbers.number(report.invoice_count),
        "amount_due": language.money(report.amount_due.copy_abs(), currency),
        "total_paid": language.money(report.total_paid.copy_abs(), currency),
        "owing": language.money(report.owing.copy_abs(), currency),
    }


def billed_labels(statement: Statement, language: Language) -> dict[str, str]:
    """Return the labels of these figures, which say so if one is turned around."""
    report, say = statement.report, language.say
    if report.amount_due < 0:
        billed = say("Credit notes, less invoices")
    elif statement.totals.credited:
        billed = say("Billed, less credit notes")
    else:
        billed = say("Billed")
    paid, owing = report.total_paid >= 0, report.owing >= 0
    return {
        "billed": billed,
        "paid_on_it": say("Paid on it, any date") if paid else say("Refunded on it, any date"),
        "still_owing": say("Still owing on it") if owing else say("In your favour on it"),
    }


def aging(statement: Statement, language: Language) -> list[dict[str, Any]] | None:
    """Return the open amounts by days past due, with shares for drawing; None if none is owed."""
    parts = statement.aging
    if parts is None:
        return None
    buckets = list(_buckets(parts, language))
    whole = sum((amount for _, amount, _ in buckets if amount > 0), _ZERO)
    if whole == 0:
        return None
    return [
        {
            "label": label,
            "amount": language.figure(amount, statement.business.currency),
            "share": float(amount / whole) if amount > 0 else 0.0,
            "overdue": late,
        }
        for label, amount, late in buckets
    ]


def _buckets(aging: Aging, language: Language) -> Iterator[tuple[str, Decimal, bool]]:
    """Yield label, amount and whether it is overdue; those that most accounts lack if not zero."""
    say, number = language.say, language.numbers.number
    yield say("Not due yet"), aging.not_due, False
    for first, last, amount in (
        (1, 30, aging.days_1_30),
        (31, 60, aging.days_31_60),
        (61, 90, aging.days_61_90),
    ):
        label = say("{first}–{last} days late", first=number(first), last=number(last))
        yield label, amount, amount > 0
    yield say("Over {last} days late", last=number(90)), aging.over_90, aging.over_90 > 0
    for label, amount in (
        (say("Without a due date"), aging.no_due_date),
        (say("Opening balance"), aging.opening),
        (say("Credits not used yet"), aging.credits),
    ):
        if amount:
            yield label, amount, False


def overdue(statement: Statement, today: dt.date, language: Language) -> str:
    """Return the sentence that asks for what is overdue, or an empty text.

    It asks for no more than the closing balance, from which credits are already deducted. What will
    be overdue at the end of a period that lasts longer than `today` is not asked for.
    """
    ageing = statement.aging
    if ageing is None or not statement.reconciles or statement.end > today:
        return ""
    late = min(ageing.overdue, statement.closing_balance)
    if late <= 0:
        return ""
    return language.say(
        "{amount} was overdue on {date}. If you have not paid it since, please do so as soon as "
        "you can.",
        amount=language.money(late, statement.business.currency),
        date=language.dates.day(statement.end),
    )


def pay_by(statement: Statement, today: dt.date, language: Language) -> str:
    """Return the sentence that says what has to be paid next and when, or an empty text.

    Only what is due from `today` on has a day that can be kept.
    """
    if statement.closing_balance <= 0 or not statement.reconciles:
        return ""
    due = [(day, part) for day, part in _due(statement, today) if day >= today]
    if not due:
        return ""
    first = min(day for day, _ in due)
    amount = sum((part for day, part in due if day == first), _ZERO)
    return language.say(
        "Please pay {amount} by {date}.",
        amount=language.money(min(amount, statement.closing_balance), statement.business.currency),
        date=language.dates.day(first),
    )


def _due(statement: Statement, today: dt.date) -> list[tuple[dt.date, Decimal]]:
    """Return what is open by due date, as far as the statement knows it from `today` on.

    Without its open items it knows only what is due from the end of its period on. If that lies in
    the future, something else may be due before.
    """
    if statement.open_items is not None:
        return [
            (item.due_date, item.open)
            for item in statement.open_items
            if item.due_date is not None and item.open > 0
        ]
    if statement.coming is None or statement.end > today:
        return []
    return [(date.due_date, date.open) for date in statement.coming.dates]


def deposit(statement: Statement, language: Language) -> str:
    """Return the sentence about deposits that the business holds, or an empty text."""
    amount = statement.report.deposit_amount
    shown = language.money(amount.copy_abs(), statement.business.currency)
    if amount > 0:
        return language.say(
            "For your information: you have deposits of {amount} with us. They are not deducted "
            "from the balance.",
            amount=shown,
        )
    if amount < 0:
        return language.say(
            "For your information: {amount} more was returned to you than you had deposited. It "
            "is not part of the balance.",
            amount=shown,
        )
    return ""


def pay(statement: Statement, language: Language) -> dict[str, str] | None:
    """Return the link for paying the closing balance, and its words; None if nothing is owed.

    There is none either if the statement's figures do not add up, or the template is not usable.
    """
    template, closing = statement.branding.pay_link, statement.closing_balance
    if template is None or closing <= 0 or not statement.reconciles:
        return None
    currency = statement.business.currency
    try:
        url = pay_link.of_balance(
            template,
            closing,
            currency=currency,
            customer_id=statement.customer.id,
            end=statement.end,
        )
    except ValueError:
        return None
    return {
        "url": url,
        "label": language.say("Pay {amount}", amount=language.money(closing, currency)),
    }
