"""The recipient of a mail, who may unsubscribe."""

from dataclasses import dataclass
from uuid import UUID

from services.api.core.refusals import NotFound
from shared.db import sql
from shared.db.postgres import Connection
from shared.deliveries.reasons import ReasonCode

_queries = sql.load("services.api.suppressions")
_REASON = "unsubscribed by the link in a mail"


@dataclass(frozen=True)
class Recipient:
    """The address of a delivery, and its business (`business_name` is None if it was deleted)."""

    business_id: int
    email: str
    email_key: str
    business_name: str | None


async def recipient(conn: Connection, delivery_id: UUID) -> Recipient:
    """Return the recipient of a delivery. Raises NotFound if there is none."""
    row = await conn.fetchrow(_queries.recipient, delivery_id)
    if row is None:
        raise NotFound("mail")
    return Recipient(**row)


async def unsubscribe(conn: Connection, refusing: Recipient) -> None:
    """Add a recipient to the list of its business; it may be repeated."""
    await conn.fetchrow(
        _queries.add,
        refusing.business_id,
        refusing.email_key,
        _REASON,
        ReasonCode.SUPPRESSED_UNSUBSCRIBED,
    )
