"""Dry runs: the send that a request would make, of which nothing is stored."""

from services.api.sends.accept import draft
from services.api.sends.plan import look, plan
from services.api.sends.request import SendRequest
from services.api.sends.send import Send
from services.api.sends.terms import Terms
from services.api.statements.store import snapshot
from shared.db.postgres import Connection


async def dry_run(conn: Connection, business_id: int, request: SendRequest, terms: Terms) -> Send:
    """Return the send that `accept` would make now, with the hash of its figures.

    Raises NotFound if the customer is unknown, InvalidInput if the due times contradict each other,
    a word means no period, no recipient is left, there are too many or the statement has too many
    lines, and Busy if the statement takes too long to make.
    """
    asked = await look(conn, business_id, request.customer_id, None)
    planned = await plan(conn, business_id, request, terms, asked)
    made = await snapshot(
        conn, business_id, planned.customer_id, planned.period, planned.kind, planned.locale
    )
    shown = {
        "statement_kind": made.kind,
        "locale": made.locale,
        "figures_sha256": made.figures_sha256,
    }
    return draft(planned).model_copy(update=shown)
