"""Refuses a statement with too many lines before it is made."""

from services.api.statements import store
from shared.db import sql
from shared.db.postgres import Connection
from shared.period import Period
from shared.statements.model import Kind

_QUERIES = sql.load("services.api.statements", "length.sql")
# Documents of a customer that are looked at: those of the longest statement, and as many older ones
# for their payments.
_LOOKED_AT_MAX = 2 * store.LINES_MAX


async def refuse_too_long(
    conn: Connection, business_id: int, customer_id: int, period: Period, kind: Kind | None
) -> None:
    """Raise Invalid if the statement would have too many lines, as far as a quick look tells.

    The look is at the customer's latest documents. Whoever makes the statement looks at all.
    """
    given = {
        "business": business_id,
        "customer": customer_id,
        "start": period.start,
        "end": period.end,
        "kind": kind,
        "most_lines": store.LINES_MAX,
        "looked": _LOOKED_AT_MAX,
    }
    if await conn.fetchval(*sql.call(_QUERIES.is_too_long, **given)):
        raise store.too_long()
