"""Freezes statements."""

from services.api.reports.query import one_customer
from shared.db import sql
from shared.db.postgres import Connection
from shared.deliveries.reasons import ReasonCode
from shared.deliveries.relay import Unfrozen
from shared.statements import TEMPLATE_VERSION

_QUERIES = sql.load("services.api.statements")
_LONGEST = 10.0  # seconds for one statement; others wait meanwhile
# More than a person reads or a mail can contain; typesetting more would take gigabytes.
_MOST_LINES = 5_000


class NoStatement(LookupError):
    """The statement cannot be made, now or later; the message gives the reason, `code` its code."""

    def __init__(self, reason: str, code: ReasonCode) -> None:
        super().__init__(reason)
        self.code = code


async def freeze(conn: Connection, send: Unfrozen) -> None:
    """Store the statement of a send from the current ledger, unless it is frozen already.

    Raises NoStatement if the customer does not exist any more or the statement has too many lines.
    """
    frozen = await conn.fetchval(
        _QUERIES.freeze.replace("{report}", one_customer()),
        send.business_id,
        send.date_from,
        send.date_to,
        send.customer_id,
        send.send_id,
        TEMPLATE_VERSION,
        _MOST_LINES,
        timeout=_LONGEST,
    )
    if frozen is not None:
        return
    [why] = await conn.fetch(
        _QUERIES.why_not_frozen, send.business_id, send.customer_id, send.send_id
    )
    if not why["has_customer"]:
        raise NoStatement(
            f"customer {send.customer_id} is not in the ledger any more",
            ReasonCode.CUSTOMER_DELETED,
        )
    if not why["is_frozen"]:
        raise NoStatement(
            f"the statement has more than {_MOST_LINES} transactions",
            ReasonCode.STATEMENT_TOO_LONG,
        )
