from services.api.core.refusals import NotFound
from services.api.formats.page.names import name_of
from services.api.formats.page.navigation import Customer
from shared.db import sql
from shared.db.postgres import Connection

_queries = sql.load("services.api.views")


async def customer(conn: Connection, business_id: int, customer_id: int) -> Customer:
    """Return a customer by the name that people know. Raises NotFound."""
    row = await conn.fetchrow(_queries.customer, business_id, customer_id)
    if row is None:
        raise NotFound("customer")
    return Customer(customer_id, name_of(*row))
