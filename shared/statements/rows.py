"""The transactions and the open items of a statement, as rows of words and figures."""

from collections.abc import Iterable
from datetime import date
from typing import Any, Final

from shared.statements.language import Language
from shared.statements.model import Transaction
from shared.statements.open_parts import OpenItem
from shared.statements.transfers import Entry, entries
from shared.statements.wording import line

Row = dict[str, Any]

_LONG_WORD: Final = 18  # letters; shorter ones fit into their column of the PDF
_NAMED: Final = 10  # documents of one transfer that are named
_NO_BREAK: Final = "\N{NO-BREAK SPACE}"


def transaction_rows(
    transactions: Iterable[Transaction], currency: str, language: Language
) -> list[Row]:
    """Return a row for each change of the balance, the payments of one transfer in one row."""
    return [_row(entry, currency, language) for entry in entries(transactions)]


def open_rows(items: Iterable[OpenItem], currency: str, language: Language) -> list[Row]:
    """Return a row for each document that is not settled."""
    return [_open_row(item, currency, language) for item in items]


def _row(entry: Entry, currency: str, language: Language) -> Row:
    first = entry.first
    amount = entry.change
    change = language.figure(amount, currency)
    raises = first.charge is not None
    date, due = _short_day(first.date, language), _due(first, language)
    title, others = _title(entry, language), _details(first, language)
    joined = " · ".join([due, *others] if due else others)
    return {
        "date": date,
        "title": title,
        "details": joined,
        "parts": [*_unbroken(date, due), *others],
        "long": _has_long_word(title) or _has_long_word(joined),
        "charge": change if raises else "",
        # It is shown without the sign that says that it lowers the balance.
        "credit": "" if raises else change.removeprefix(language.numbers.minus),
        "change": change,
        "balance": language.figure(entry.balance, currency),
        "overdue": (first.days_overdue or 0) > 0,
    }


def _title(entry: Entry, language: Language) -> str:
    kind, say = entry.first.kind, language.say
    number = _numbers([part.number for part in entry.parts], language)
    match kind:
        case "invoice":
            return say("Invoice {number}", number=number)
        case "credit_note":
            return say("Credit note {number}", number=number)
        case "payment":
            return say("Payment on {number}", number=number)
        case "refund":
            return say("Refund on {number}", number=number)


def _numbers(numbers: list[str], language: Language) -> str:
    known = [line(number) or language.say("no number") for number in dict.fromkeys(numbers)]
    if len(known) == 1:
        return language.isolated(known[0])
    # Translators: the comma between the numbers of documents.
    listed = language.say(", ").join(map(language.isolated, known[:_NAMED]))
    more = len(known) - _NAMED
    if more <= 0:
        return listed
    return language.say_many(
        "{listed} and {count} more", "{listed} and {count} more", more, listed=listed
    )


def _due(transaction: Transaction, language: Language) -> str:
    due = transaction.due_date
    return language.say("due {date}", date=language.dates.short_day(due)) if due else ""


def _details(transaction: Transaction, language: Language) -> list[str]:
    details = (
        line(transaction.method),
        language.say("paid online") if transaction.channel == "online" else "",
        line(transaction.reference),
    )
    return list(filter(None, details))


def _unbroken(*texts: str) -> list[str]:
    """Return those of our texts that are not empty, without a blank at which a line may end."""
    return [text.replace(" ", _NO_BREAK) for text in texts if text]


def _open_row(item: OpenItem, currency: str, language: Language) -> Row:
    say = language.say
    number = language.isolated(line(item.number) or say("no number"))
    match item.kind:
        case "invoice":
            title = say("Invoice {number}", number=number)
        case "credit_note":
            title = say("Credit note {number}", number=number)
        case "opening_balance":
            title = say("Opening balance")
    late = item.days_overdue or 0
    date, due = _short_day(item.date, language), _short_day(item.due_date, language)
    return {
        "date": date,
        "title": title,
        "due": due,
        "parts": _unbroken(date, f"{say('Due')} {due}" if due else ""),
        "overdue": language.say_many("{count} day", "{count} days", late) if late else "",
        "late": language.say_many("{count} day overdue", "{count} days overdue", late)
        if late
        else "",
        "amount": language.figure(item.open, currency),
        "total": language.figure(item.total, currency),
        "long": _has_long_word(title),
    }


def _short_day(day: date | None, language: Language) -> str:
    return language.dates.short_day(day) if day else ""


def _has_long_word(text: str) -> bool:
    return len(text) >= _LONG_WORD and max(map(len, text.split())) >= _LONG_WORD
