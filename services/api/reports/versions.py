from aiohttp import web

from services.api.http.appkeys import LEDGER_VERSION, PRINCIPAL
from services.api.http.connections import connection
from services.api.reports import store


async def ledger_version(request: web.Request) -> str:
    """Return the version of the caller's ledger, which the look-up of the key may have read."""
    if LEDGER_VERSION in request:
        return request[LEDGER_VERSION]
    async with connection(request) as conn:
        return await store.version(conn, request[PRINCIPAL].business_id)
