"""The sentences of a statement, with its names, days and amounts in them."""

from typing import Final

from shared.statements import owed
from shared.statements.language import Language
from shared.statements.model import Kind, Statement
from shared.statements.wording import line

#: A mail shows at most this many transactions, the latest ones; an attached PDF shows all.
SHOWN: Final = 40
_NAME: Final = 48  # characters of a name in a subject, so that its end is not cut


def title(kind: Kind, language: Language) -> str:
    """Return what a statement of this kind is called."""
    if kind == "open-items":
        return language.say("Statement of open items")
    return language.say("Statement of account")


def subjects(business: str, customer: str, period: str, language: Language) -> dict[str, str]:
    """Return the subject of the mail, and that of a copy for the business."""
    subject = language.say(
        "Statement from {business} for {customer}: {period}",
        business=language.isolated(line(business, _NAME)),
        customer=language.isolated(line(customer, _NAME)),
        period=period,
    )
    return {
        "subject": subject,
        # Translators: the subject of a mail to the sender's own address.
        "copy_subject": language.say("Copy: {subject}", subject=subject),
    }


def preheader(amount: str, standing: str, business: str, period: str, language: Language) -> str:
    """Return what a list of mails shows after the subject."""
    return language.say(
        "{amount} {standing}. Your account with {business}, {period}.",
        amount=amount,
        standing=standing,
        business=language.isolated(business),
        period=period,
    )


def labels(statement: Statement, business: str, language: Language) -> dict[str, str]:
    """Return the labels that differ from statement to statement."""
    say, name = language.say, language.isolated(business)
    billed = owed.billed_labels(statement, language)
    return billed | {
        "in_currency": say("in {currency}", currency=statement.business.currency),
        "message_from": say("A message from {business}", business=name),
        "ask": say(
            "Questions? Ask {business} directly; replies to this e-mail do not arrive there.",
            business=name,
        ),
        "nothing_moved": _nothing_moved(statement, language),
    }


def mismatch(business: str, language: Language) -> str:
    """Return the warning of a statement whose figures do not add up."""
    return language.say(
        "The figures below do not add up to this balance. Ask {business} before you pay or book "
        "anything.",
        business=language.isolated(business),
    )


def latest(count: int, language: Language) -> dict[str, str]:
    """Return the sentences of a mail that shows only the latest of so many transactions."""
    if count <= SHOWN:
        return {"latest": "", "latest_attached": ""}
    shown = language.numbers.number(SHOWN)
    return {
        "latest": language.say_many(
            "The last {shown} of {count} transaction.",
            "The last {shown} of {count} transactions.",
            count,
            shown=shown,
        ),
        "latest_attached": language.say_many(
            "The last {shown} of {count} transaction; all of them are in the attached PDF.",
            "The last {shown} of {count} transactions; all of them are in the attached PDF.",
            count,
            shown=shown,
        ),
    }


def first_items(count: int, language: Language) -> dict[str, str]:
    """Return the sentences of a mail that shows only the oldest of so many open items."""
    if count <= SHOWN:
        return {"first_items": "", "first_items_attached": ""}
    shown = language.numbers.number(SHOWN)
    return {
        "first_items": language.say_many(
            "The first {shown} of {count} open item.",
            "The first {shown} of {count} open items.",
            count,
            shown=shown,
        ),
        "first_items_attached": language.say_many(
            "The first {shown} of {count} open item; all of them are in the attached PDF.",
            "The first {shown} of {count} open items; all of them are in the attached PDF.",
            count,
            shown=shown,
        ),
    }


def _nothing_moved(statement: Statement, language: Language) -> str:
    closing = statement.closing_balance
    if closing == 0:
        return language.say("Nothing was billed or paid in this period, and nothing is owed.")
    return language.say(
        "Nothing was billed or paid in this period, so the balance is unchanged: {balance}.",
        balance=owed.balance(closing, statement.business.currency, language),
    )
