"""The document's description of the API as a whole."""

from services.api.core.refusals import Scope

DESCRIPTION = """\
*How much did each customer bring in between these dates?* The API answers from a ledger, and mails
a customer the statement behind the answer.

**Keys.** Every call of the API needs `Authorization: Bearer KEY`. A key belongs to one business;
an object of another business is a 404, like an object that does not exist.

**Dates** are calendar dates `YYYY-MM-DD`; both ends of a period are inclusive. In place of the two
dates of a period, **one word** may stand, such as `last-month`, `2026-Q1` or `ytd`: it means days
on the business's calendar, and `Content-Location` has their dates. Of two paths of reports that
match a request, the one with `client` comes first, then the one with the name of a view. **Times**
are RFC 3339 in UTC.

**Ids** of customers and the ledger are 64-bit integers: in languages whose numbers are floats, ids
above 2^53 need a parser that keeps integers exact. Ids of sends and deliveries are UUIDs.

**Amounts** are exact decimals in the business's currency, of at most 4 places, written as JSON
numbers without trailing zeros or exponent. Clients that compute with them should parse them as
decimals, not as floats.

**Bodies** may be JSON or a form (urlencoded or multipart; in a form a list repeats its field).
Every path of a `GET` also supports `HEAD`, and every path supports `OPTIONS`. A query parameter
that a call does not list is a 422, so that a misspelt one is noticed.

**Repetition.** Every `POST` that changes something accepts an `Idempotency-Key`: for 24 hours, a
repetition gets the first answer, byte for byte. A refused request does not use up its key.

**Limits.** The requests of a key per minute are limited; the `RateLimit-*` headers show what is
left. The recipients of a business that are due on one day in UTC are limited (5000 by default; the
day is that of `send_at`), and four times as many may be accepted on one day.

**Refusals** are `application/problem+json` (RFC 9457), and a 422 names each invalid field. Besides
the refusals that each call lists, an unknown path is a 404 and a bug in the server is a 500, in the
same form. `request_id` is the id of the request in the logs.
"""

SCOPE_MEANINGS: dict[Scope, str] = {
    "reports:read": "read the reports",
    "transactions:send": "send statements, read and change sends and suppressions,"
    " read returned mails",
    "branding:write": "change how statements look",
    "returns:write": "post returned mails",
}

TAGS = [
    {
        "name": "Reports",
        "description": "The income from each customer in a period, and its balance.",
    },
    {"name": "Account", "description": "Who the caller is, and what it may do."},
    {"name": "Customers", "description": "The customers of the business, without figures."},
    {"name": "Branding", "description": "How the statements of the business look."},
    {"name": "Sends", "description": "Statements by e-mail, each handed over at most once."},
    {
        "name": "Mails in doubt",
        "description": "Mails that may or may not have gone out; a person looks into the mail"
        " server's log and settles them.",
    },
    {
        "name": "Schedules",
        "description": "Statements to many, again and again: on the last working day of every"
        " month, for example.",
    },
    {"name": "Suppressions", "description": "Addresses that a business no longer mails."},
    {
        "name": "Returned mail",
        "description": "What came back: bounces, complaints and automatic replies.",
    },
    {"name": "Verification", "description": "Statements on paper, for whoever has one."},
    {"name": "Service", "description": "Health, metrics and this document."},
]
