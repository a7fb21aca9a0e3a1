"""The list of a business's customers."""

from aiohttp import web

from services.api.core.query_string import parse_query
from services.api.customers import store
from services.api.customers.model import CustomersQuery
from services.api.http.appkeys import PRINCIPAL
from services.api.http.connections import connection


async def show_list(request: web.Request) -> web.Response:
    """Answer with a page of the customers."""
    query = parse_query(CustomersQuery, request.query.items())
    async with connection(request) as conn:
        page = await store.page(conn, request[PRINCIPAL].business_id, query)
    return web.Response(text=page.to_json(), content_type="application/json")
