"""Lists and resolves mails in doubt."""

from uuid import UUID

from services.api.core.deadline import promptly
from services.api.core.paging import Cursor, Page, page_of
from services.api.core.refusals import Conflict, NotFound
from services.api.sends.history import place_of_doubt
from services.api.sends.send import Doubt
from shared.db import sql
from shared.db.postgres import Connection
from shared.deliveries import operator
from shared.deliveries.operator import Resolution

_queries = sql.load("services.api.sends")


class NotInDoubt(Conflict):
    """The outcome of this mail is known."""

    def __init__(self) -> None:
        super().__init__("This delivery is not in doubt.")


async def page(
    conn: Connection, business_id: int | None, cursor: Cursor[UUID], limit: int
) -> Page[Doubt]:
    """Return the mails in doubt of a business (None: of all) after `cursor`, oldest first.

    Raises Busy if it takes too long.
    """
    async with promptly():
        rows = await conn.fetch(_queries.doubts, business_id, cursor.time, cursor.key, limit + 1)
    return page_of([Doubt.model_validate(dict(row)) for row in rows], limit, place_of_doubt)


async def resolve(
    conn: Connection, business_id: int | None, delivery_id: UUID, resolution: Resolution
) -> UUID:
    """Resolve a mail in doubt, and return the id of its send. Raises NotFound and NotInDoubt."""
    send = await operator.resolve(conn, delivery_id, resolution, business_id=business_id)
    if send is not None:
        return send
    if await conn.fetchval(_queries.is_delivery, business_id, delivery_id):
        raise NotInDoubt
    raise NotFound("delivery")
