"""Freezes statements."""

from functools import cache

from services.api.reports.query import NAMED, one_customer
from shared.db import sql
from shared.db.postgres import Connection
from shared.deliveries.reasons import ReasonCode
from shared.deliveries.relay import Unfrozen
from shared.statements import TEMPLATE_VERSION

_QUERIES = sql.load("services.api.statements")
_FREEZE_S_MAX = 10.0  # seconds for one statement; others wait meanwhile
# More than a person reads or a mail can contain; typesetting more would take gigabytes.
_LINES_MAX = 5_000


class NoStatement(LookupError):
    """The statement cannot be made, now or later; the message gives the reason, `code` its code."""

    def __init__(self, reason: str, code: ReasonCode) -> None:
        super().__init__(reason)
        self.code = code


@cache
def freeze_text() -> str:
    """Return the query that freezes a statement, with named parameters."""
    return sql.filled(_QUERIES.freeze, report=one_customer(NAMED), lines=lines_text())


def lines_text() -> str:
    """Return the tables of a WITH list that has a statement's lines, with named parameters.

    Whatever shows a customer's account has the lines of the statement that is mailed.
    """
    return _QUERIES.lines


async def freeze(conn: Connection, send: Unfrozen) -> None:
    """Store the statement of a send from the current ledger, unless it is frozen already.

    Raises NoStatement if the customer does not exist any more or the statement has too many lines.
    """
    query = sql.call(
        freeze_text(),
        business=send.business_id,
        start=send.period.start,
        end=send.period.end,
        customer=send.customer_id,
        send=send.send_id,
        template_version=TEMPLATE_VERSION,
        most_lines=_LINES_MAX,
    )
    if await conn.fetchval(*query, timeout=_FREEZE_S_MAX) is not None:
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
            f"the statement has more than {_LINES_MAX} transactions",
            ReasonCode.STATEMENT_TOO_LONG,
        )
