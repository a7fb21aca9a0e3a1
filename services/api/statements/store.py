"""Freezing what a statement says."""

from shared import sql
from shared.deliveries.waiting import Unfrozen
from shared.postgres import Connection
from shared.statement import TEMPLATE_VERSION

_QUERIES = sql.load("services.api.statements")
_REPORT = sql.load("services.api.reports")
_LONGEST = 10.0  # seconds for one statement, while the others wait


class CustomerGone(LookupError):
    """The customer was deleted from the ledger, so there is nothing to state."""


async def freeze(conn: Connection, send: Unfrozen) -> None:
    """Keep the statement of a send as the ledger says now, unless it was frozen before."""
    frozen = await conn.fetchval(
        _QUERIES.freeze.replace("{report}", _REPORT.income_by_customers),
        send.business_id,
        send.date_from,
        send.date_to,
        send.customer_id,
        send.customer_id,
        send.send_id,
        TEMPLATE_VERSION,
        timeout=_LONGEST,
    )
    if frozen is None and not await conn.fetchval(
        _QUERIES.customer_exists, send.business_id, send.customer_id
    ):
        raise CustomerGone(f"customer {send.customer_id} is not in the ledger any more")
