"""Who was sent a mail, and may refuse more of them."""

from dataclasses import dataclass
from uuid import UUID

from services.api.core.refusals import NotFound
from shared.db import sql
from shared.db.postgres import Connection

_queries = sql.load("services.api.suppressions")
_REASON = "unsubscribed by the link in a mail"


@dataclass(frozen=True)
class Recipient:
    """The address of a delivery, and the business that mails it (None: it is gone)."""

    business_id: int
    email: str
    email_key: str
    business_name: str | None


async def recipient(conn: Connection, delivery_id: UUID) -> Recipient:
    """Return to whom a delivery goes, or raise NotFound."""
    row = await conn.fetchrow(_queries.recipient, delivery_id)
    if row is None:
        raise NotFound("mail")
    return Recipient(**row)


async def unsubscribe(conn: Connection, refusing: Recipient) -> None:
    """Put a recipient on the list of the business that mailed; once there, nothing changes."""
    await conn.fetchrow(_queries.add, refusing.business_id, refusing.email_key, _REASON)
