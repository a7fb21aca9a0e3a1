"""The call by which a caller learns who it is."""

from aiohttp import web

from services.api.account import store
from services.api.account.model import Allowance
from services.api.http.appkeys import PRINCIPAL, RATE, SETTINGS
from services.api.http.connections import connection


async def show(request: web.Request) -> web.Response:
    """Answer with the business, the key, and what is left of their limits."""
    principal, rate = request[PRINCIPAL], request.get(RATE)
    async with connection(request) as conn:
        account = await store.account(
            conn,
            principal.business_id,
            principal.key_id,
            rate=rate and Allowance(limit=rate.limit, remaining=rate.remaining),
            daily_quota=request.app[SETTINGS].daily_quota,
        )
    return web.Response(text=account.model_dump_json(), content_type="application/json")
