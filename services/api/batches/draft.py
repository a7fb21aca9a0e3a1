"""What a request for a batch means at this moment: which days, due when, charged how."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.api.batches.request import BatchRequest
from services.api.businesses import store as businesses
from services.api.businesses.periods import period_meant
from services.api.core.refusals import Invalid, NotFound
from services.api.sends.due_time import due_at
from services.api.sends.terms import Terms
from shared.db import sql
from shared.db.postgres import Connection
from shared.mail.address import Address
from shared.mail.stored import stored_addresses
from shared.period import Period

_queries = sql.load("services.api.batches")


@dataclass(frozen=True)
class Draft:
    """A batch that could be stored now.

    `shared` is how many recipients all its customers share, `open_batches` the number of batches of
    the business that are not finished, besides those of occurrences.
    """

    business_id: int
    request: BatchRequest
    period: Period
    now: datetime
    due: datetime
    expires_at: datetime
    shared: int
    open_batches: int
    waiting_batches: int


async def drafted(conn: Connection, business_id: int, request: BatchRequest, terms: Terms) -> Draft:
    """Return what a request means by the database's clock.

    Raises NotFound if the business does not exist, and InvalidInput if the due times contradict
    each other, a word means no period, or there are too many recipients for one customer.
    """
    asked = await conn.fetchrow(_queries.look, business_id)
    if asked is None:
        raise NotFound("business")
    now: datetime = asked["asked_at"]
    period = request.period
    if not isinstance(period, Period):
        period = period_meant(period, await businesses.business(conn, business_id), now)
    check_others(request.others, terms)
    copies = len(stored_addresses(asked["email"])) if request.copy_to_me else 0
    due = due_at(request.moments, asked["timezone"], now)
    return Draft(
        business_id=business_id,
        request=request,
        period=period,
        now=now,
        due=due,
        expires_at=terms.expiry(due),
        shared=len(request.others) + copies,
        open_batches=asked["open"],
        waiting_batches=asked["waiting"],
    )


def check_others(others: Sequence[Address], terms: Terms) -> None:
    """Raise Invalid if so many further recipients leave no room for the customer."""
    if len(others) >= terms.max_recipients:
        raise Invalid(
            "other_emails",
            f"names {len(others)} addresses; the limit is {terms.max_recipients}"
            " recipients, of which the customer is one",
        )
