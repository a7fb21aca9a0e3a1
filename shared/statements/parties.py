"""Who sends a statement and who gets it, as lines of text."""

from typing import Any, Final

from shared.statements.language import Language
from shared.statements.model import Business, Customer
from shared.statements.wording import initial, line
from shared.text import lines, visible

_LONGEST_ADDRESS: Final = 12  # lines; a long address must not add pages


def business(sender: Business, language: Language) -> dict[str, Any]:
    """Return name, initial, address and contact of the business that sends the statement."""
    name = visible(line(sender.name, limit=200)) or language.say(
        "Business {number}", number=str(sender.id)
    )
    contact = [line(sender.phone), line(sender.email)]
    return {
        "name": name,
        "short": line(name, limit=80),
        "initial": initial(name),
        "address": _address(sender.address),
        "contact": list(filter(None, contact)),
    }


def customer(receiver: Customer, language: Language) -> dict[str, Any]:
    """Return name, number and address of the customer that the statement is about."""
    number = str(receiver.id)
    name = line(receiver.name, limit=200) or language.say("Customer {number}", number=number)
    person = visible(line(f"{receiver.first_name or ''} {receiver.last_name or ''}", limit=200))
    details = [
        person if person != name else "",
        *_address(receiver.business_address),
        line(receiver.business_location),
        line(receiver.business_phone) or line(receiver.phone_number),
        line(receiver.business_email),
    ]
    return {
        "name": name,
        "short": line(name, limit=80),
        "number": number,
        "details": list(filter(None, details)),
    }


def _address(text: str | None) -> list[str]:
    kept = list(filter(None, map(line, lines(text or ""))))
    return kept if len(kept) <= _LONGEST_ADDRESS else [*kept[: _LONGEST_ADDRESS - 1], "…"]
