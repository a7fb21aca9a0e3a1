from services.api.businesses.model import Business
from services.api.core.refusals import NotFound
from shared.db import sql
from shared.db.postgres import Connection

_queries = sql.load("services.api.businesses")


async def business(conn: Connection, business_id: int) -> Business:
    """Return the business. Raises NotFound."""
    row = await conn.fetchrow(_queries.business, business_id)
    if row is None:
        raise NotFound("business")
    return Business(
        row["id"],
        row["name"],
        row["currency"],
        row["timezone"],
        fiscal_year_start(row["fiscal_year_start"]),
    )


def fiscal_year_start(text: str) -> tuple[int, int]:
    """Return the month and the day of a column `fiscal_year_start`, which is written MM-DD."""
    month, day = text.split("-")
    return int(month), int(day)
