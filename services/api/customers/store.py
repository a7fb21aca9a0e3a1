from functools import cache

from services.api.core.deadline import promptly
from services.api.core.paging import Page, page_of
from services.api.customers.model import Customer, CustomersQuery, cursor_after
from services.api.reports.query import customer_contains
from shared.db import sql
from shared.db.postgres import Connection

_queries = sql.load("services.api.customers")


async def page(conn: Connection, business_id: int, query: CustomersQuery) -> Page[Customer]:
    """Return a page of a business's customers.

    Raises Invalid if the cursor is none of this list, and Busy if it takes too long.
    """
    archived = None if query.archived is None else int(query.archived)
    after, count = query.after, query.limit + 1
    async with promptly():
        rows = await conn.fetch(_page(), business_id, after, archived, query.q, count)
    return page_of([Customer(**row) for row in rows], query.limit, cursor_after)


@cache
def _page() -> str:
    return sql.filled(_queries.page, contains=customer_contains("$4"))
