"""What the document says of the API as a whole."""

from services.api.core.refusals import Scope

DESCRIPTION = """\
*How much did each customer bring in between these dates?* The API answers from a ledger, and mails
a customer the statement behind the answer.

**Keys.** Every call of the API needs `Authorization: Bearer KEY`. A key belongs to one business;
what another business has is answered like what does not exist: 404.

**Dates** are calendar dates `YYYY-MM-DD`, both ends inclusive. **Times** are RFC 3339 in UTC.

**Ids** of customers and the ledger are 64-bit integers: in languages whose numbers are floats, ids
above 2^53 need a parser that keeps them whole. Ids of sends and deliveries are UUIDs.

**Amounts** are exact decimals in the business's currency, of at most 4 places, written as JSON
numbers without trailing zeros or exponent. Clients that compute with them should parse them as
decimals, not as floats.

**Bodies** may be JSON or a form (urlencoded or multipart; in a form a list repeats its field).
`GET` also answers `HEAD`, and every path `OPTIONS`. A query parameter that a call does not list is
a 422: a misspelt one would be lost.

**Repetition.** Every `POST` that changes something takes an `Idempotency-Key`: for 24 hours a
repetition gets the first answer, byte for byte. A request that was refused leaves its key free.

**Limits.** A key may make so many requests a minute; `RateLimit-*` tells what is left. A business
may have so many recipients due on a day in UTC (5000 by default; the day of `send_at`), and four
times as many accepted on one day.

**Refusals** are `application/problem+json` (RFC 9457), and a 422 names each field at fault. Beside
what each call lists, a path that is not listed is a 404 and a defect of the server a 500, in the
same form. `request_id` finds the request in
the logs.
"""

SCOPE_MEANINGS: dict[Scope, str] = {
    "reports:read": "read the reports",
    "transactions:send": "send statements, read and change sends and suppressions",
}

TAGS = [
    {"name": "Reports", "description": "What each customer brought in, and where it stands."},
    {"name": "Sends", "description": "Statements by e-mail, each handed over at most once."},
    {
        "name": "Mails in doubt",
        "description": "Mails whose fate only the mail server's log knows, settled by a person.",
    },
    {"name": "Suppressions", "description": "Addresses that a business no longer mails."},
    {"name": "Service", "description": "Health, metrics and this document."},
]
