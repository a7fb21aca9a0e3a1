"""How many customers a request for a batch selects, and the most recipients that they can have."""

from typing import NamedTuple

from services.api.batches.accept import most_recipients
from services.api.batches.draft import drafted
from services.api.batches.request import BatchRequest
from services.api.reports.listing.query import chosen_ids
from services.api.reports.model import ReportQuery
from services.api.sends.terms import Terms
from shared.db import sql
from shared.db.postgres import Connection

_queries = sql.load("services.api.batches", "reach.sql")


class Reach(NamedTuple):
    """The number of customers, and of recipients at most."""

    customers: int
    recipients: int


async def reach(conn: Connection, business_id: int, request: BatchRequest, terms: Terms) -> Reach:
    """Return how many customers and recipients a request has now. Raises like `drafted`."""
    draft = await drafted(conn, business_id, request, terms)
    selected = ReportQuery(business_id, draft.period)
    ids = chosen_ids(selected, request.filters)
    given = {
        "business": business_id,
        "recipients_max": terms.max_recipients,
        "shared": draft.shared,
    }
    # Numbered before the ids are put in, because each text that is numbered is kept for good.
    text, names = sql.numbered(
        sql.filled(_queries.reach, recipients=most_recipients(), ids="{ids}")
    )
    (row,) = await conn.fetch(sql.filled(text, ids=ids), *(given[name] for name in names))
    return Reach(row["customers"], row["recipients"])
