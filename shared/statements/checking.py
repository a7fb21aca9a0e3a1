"""The words of the page on which a person compares a statement on paper with the real one."""

from decimal import Decimal
from functools import lru_cache
from typing import Final

from shared.statements.language import Language

_EXAMPLE: Final = Decimal("1234.5")


@lru_cache(maxsize=64)
def checking(language: Language) -> dict[str, str]:
    """Return the fixed words of the page by what they name."""
    say, example = language.say, language.figure(_EXAMPLE, "EUR")
    return {
        "example": example,
        # Translators: the title of a page, and of the form on it.
        "title": say("Check a statement"),
        "intro": say(
            "At the foot of its PDF, a statement has a hash. With its closing balance, you can "
            "see here what the real statement says, and how it wants to be paid."
        ),
        # Translators: the long number of letters and digits at the foot of a PDF.
        "hash": say("Hash"),
        "closing": say("Closing balance, as it is printed"),
        # Translators: a button.
        "show": say("Show the statement"),
        "kept": say(
            "Statements are kept for a limited time. An older one is as unknown here as a forged "
            "one."
        ),
        # Translators: the title of the page with the real statement.
        "found": say("What the statement says"),
        "made_here": say("This statement was made here."),
        "compare": say("Compare each line with your copy, above all how to pay."),
        "business": say("Business"),
        "period": say("Period"),
        "made_on": say("Made on"),
        "comma": say(", "),
        "closing_balance": say("Closing balance"),
        "how_to_pay": say("How to pay"),
        "no_way": say("The statement does not say how to pay."),
        "link": say("Link for paying"),
        "no_link": say("The statement has no link for paying."),
        "forged": say(
            "If your copy names another account or link, somebody has changed it. Do not pay, and "
            "tell the business by a telephone number that you know from elsewhere."
        ),
        "another": say("Check another statement"),
        "unknown": say(
            "A statement with this hash and this closing balance is unknown here, or too old."
        ),
        "too_often": say("This statement was asked for too often."),
        # Translators: keep {example} as it is; it is an amount.
        "unreadable": say(
            "The closing balance should be an amount as it is printed, such as {example}.",
            example=example,
        ),
    }


def closing(language: Language, balance: Decimal, currency: str) -> str:
    """Return a closing balance with who owes it."""
    amount = language.money(balance.copy_abs(), currency)
    if balance < 0:
        # Translators: a balance below zero, told to somebody who may not be the customer.
        return language.say("{amount} in favour of the customer", amount=amount)
    if balance > 0:
        # Translators: what the customer has to pay.
        return language.say("{amount} owed", amount=amount)
    return language.say("{amount}, nothing owed", amount=amount)
