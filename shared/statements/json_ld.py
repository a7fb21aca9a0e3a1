"""What is owed, as data of schema.org in the mail: mail programs make a card of it."""

import datetime as dt
import json
from typing import Any, Final

from shared.statements.escaping import Html
from shared.statements.model import Statement
from shared.statements.wording import line

_DUE: Final = "https://schema.org/PaymentDue"
_PAST_DUE: Final = "https://schema.org/PaymentPastDue"
# In a script, the text `</` or `<!--` would end or change it, whatever JSON means by it.
_ESCAPED: Final = str.maketrans({sign: f"\\u{ord(sign):04x}" for sign in "<>&"})

_encode: Final = json.JSONEncoder(separators=(",", ":")).encode


def invoice(statement: Statement, pay_url: str | None) -> Html | None:
    """Return the closing balance as an Invoice of schema.org, as the content of a script element.

    None if nothing is owed, or if the statement's figures do not add up.
    """
    if statement.closing_balance <= 0 or not statement.reconciles:
        return None
    text = _encode(_invoice(statement, pay_url))
    return Html(text.translate(_ESCAPED))


def _first_due(statement: Statement) -> dt.date | None:
    """Return the earliest due date of what is open, if the statement knows it.

    Without open items it does not know since when something is overdue.
    """
    if statement.open_items is not None:
        items = statement.open_items
        return min(
            (item.due_date for item in items if item.due_date and item.open > 0), default=None
        )
    late = statement.aging is None or statement.aging.overdue > 0
    if statement.coming is None or late:
        return None
    return min((date.due_date for date in statement.coming.dates), default=None)


def _invoice(statement: Statement, pay_url: str | None) -> dict[str, Any]:
    aging = statement.aging
    data: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "Invoice",
        "accountId": str(statement.customer.id),
        "confirmationNumber": statement.reference,
        "provider": {
            "@type": "Organization",
            "name": line(statement.business.name, limit=200),
        },
        "customer": {"@type": "Thing", "name": line(statement.customer.display_name, limit=200)},
        "totalPaymentDue": {
            "@type": "PriceSpecification",
            "price": f"{statement.closing_balance:f}",
            "priceCurrency": statement.business.currency,
        },
        "paymentStatus": _PAST_DUE if aging is not None and aging.overdue > 0 else _DUE,
    }
    if (due := _first_due(statement)) is not None:
        data["paymentDueDate"] = due.isoformat()
    if pay_url is not None:
        data["url"] = pay_url
    return data
