"""The words and figures of a statement that text, HTML and PDF all show, computed once."""

import datetime as dt
from decimal import Decimal
from typing import Any

from shared.statements import colour, owed, sentences
from shared.statements.chart import chart
from shared.statements.labels import labels
from shared.statements.language import Language, language
from shared.statements.model import Statement
from shared.statements.money import MINUS
from shared.statements.parties import business, customer
from shared.statements.rows import open_rows, transaction_rows
from shared.statements.wording import clock, local
from shared.text import lines

View = dict[str, Any]


def view(statement: Statement) -> View:
    """Return every word and figure of the statement as plain strings, ready for a template."""
    words = language(statement.locale)
    sender, receiver = business(statement.business, words), customer(statement.customer, words)
    prepared = local(statement.generated_at, statement.business.timezone)
    today = prepared.date()
    heads = _heads(statement, sender, receiver, prepared, words)
    ends = _ends(statement, today, words)
    made = {
        **_look(statement, words),
        **heads,
        **ends,
        **_lists(statement, words),
        "preheader": sentences.preheader(
            ends["closing_money"], ends["closing_words"], sender["short"], heads["period"], words
        ),
        "currency": statement.business.currency,
        "business": sender,
        "customer": receiver,
        "headline": owed.headline(statement, words),
        "billed": owed.billed(statement, words),
        "aging": owed.aging(statement, words),
        "overdue": owed.overdue(statement, today, words),
        "pay_by": owed.pay_by(statement, today, words),
        "deposit": owed.deposit(statement, words),
        "how_to_pay": _how_to_pay(statement),
        "pay": owed.pay(statement, words),
        "labels": labels(words) | sentences.labels(statement, sender["name"], words),
    }
    return made | _widths(made, statement, words)


def _look(statement: Statement, words: Language) -> View:
    accent = statement.branding.accent or colour.ACCENT
    return {
        "lang": words.tag,
        "dir": words.direction,
        "paper": statement.branding.paper,
        "kind": statement.kind,
        "accent": accent,
        "accent_dark": colour.on_dark(accent),
        "accent_tint": colour.tint(accent),
        "decimal": words.numbers.decimal,
        "digits": words.numbers.digits,
    }


def _heads(
    statement: Statement, sender: View, receiver: View, prepared: dt.datetime, words: Language
) -> View:
    period = words.dates.period(statement.period)
    return {
        "title": sentences.title(statement.kind, words),
        "reference": statement.reference,
        "period": period,
        "prepared_at": words.dates.day(prepared.date())
        + words.say(", ")
        + words.numbers.in_digits(clock(prepared)),
        "mismatch": sentences.mismatch(sender["name"], words),
        **sentences.subjects(sender["short"], receiver["short"], period, words),
    }


def _ends(statement: Statement, today: dt.date, words: Language) -> View:
    """Return the balances at both ends of the period and now, with what leads to them."""
    currency, closing, say = statement.business.currency, statement.closing_balance, words.say
    entered = words.dates.day(today)
    end = words.dates.day(statement.end)
    standing = owed.standing(closing, words)
    if statement.end > today:
        title = say("Balance expected on {date}", date=end)
        standing = say("{standing}, as entered by {date}", standing=standing, date=entered)
    else:
        title = say("Balance on {date}", date=end)
    return {
        "opening": words.figure(statement.opening_balance, currency),
        "closing": words.figure(closing, currency),
        "closing_money": words.money(closing.copy_abs(), currency),
        "closing_title": title,
        "closing_words": standing,
        # Documents may have a future date, so this is not the balance of a single day.
        "standing_title": say("Your whole account, as entered by {date}", date=entered),
        "standing_now": owed.balance(statement.report.balance, currency, words),
        "sums": _sums(statement, words),
        "in_favour": min(_balances(statement)) < 0,
        "reconciles": statement.reconciles,
    }


def _lists(statement: Statement, words: Language) -> View:
    currency, items = statement.business.currency, statement.open_items
    rows = transaction_rows(statement.transactions, currency, words)
    open_items = None if items is None else open_rows(items, currency, words)
    return {
        "rows": rows,
        "open_items": open_items,
        "open_total": words.figure(statement.closing_balance, currency),
        "chart": chart(statement.transactions, statement.period, currency, words),
        **sentences.latest(len(rows), words),
        **sentences.first_items(len(items or ()), words),
    }


def _widths(made: View, statement: Statement, words: Language) -> View:
    """Return the length of the longest figure and the most decimals, for the layout of columns."""
    report, currency = statement.report, statement.business.currency
    billed = (report.amount_due, report.total_paid, report.owing)
    figures = [words.figure(amount, currency) for amount in billed]
    figures += made["opening"], made["closing"]
    figures += [part["amount"] for part in (*made["sums"], *(made["aging"] or ()))]
    for row in made["rows"]:
        figures += row["change"], row["balance"]
    for item in made["open_items"] or ():
        figures += item["amount"], item["total"]
    decimal = made["decimal"]
    return {
        "longest": max(map(len, figures)),
        "decimals": max([len(figure.partition(decimal)[2]) for figure in figures]),
    }


def _sums(statement: Statement, words: Language) -> list[View]:
    currency, totals, say = statement.business.currency, statement.totals, words.say
    signed = (
        ("+", say("Invoiced"), totals.invoiced),
        (MINUS, say("Credited"), totals.credited),
        (MINUS, say("Paid"), totals.paid),
        ("+", say("Refunded"), totals.refunded),
    )
    return [
        {"sign": sign, "label": label, "amount": words.figure(amount, currency)}
        for sign, label, amount in signed
    ]


def _balances(statement: Statement) -> list[Decimal]:
    ends = [statement.opening_balance, statement.closing_balance]
    return [*ends, *(transaction.balance for transaction in statement.transactions)]


def _how_to_pay(statement: Statement) -> list[str]:
    """Return how to pay, by lines; none if nothing is owed or the figures do not add up."""
    if statement.closing_balance <= 0 or not statement.reconciles:
        return []
    return lines(statement.branding.how_to_pay or "")
