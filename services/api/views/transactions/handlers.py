"""The call that shows a customer's account over a period."""

from typing import Final

from aiohttp import web
from pydantic import TypeAdapter

from services.api.core import fields
from services.api.core.query_string import parse_query
from services.api.http.appkeys import PRINCIPAL
from services.api.http.periods import requested_period
from services.api.views.paged import PagedView
from services.api.views.paging import PageOptions
from services.api.views.snapshot import Snapshot
from services.api.views.transactions import store
from services.api.views.transactions.navigation import navigation
from services.api.views.transactions.report import Statement
from services.api.views.transactions.store import AccountQuery, Place


async def show(request: web.Request) -> web.StreamResponse:
    """Answer with the balances of an account, and the documents and payments between them."""
    period = await requested_period(request)
    options = parse_query(PageOptions, request.query.items())
    customer = fields.customer_id(request.match_info["id"])
    query = AccountQuery(request[PRINCIPAL].business_id, customer, period)
    return await _VIEW.show(request, query, options)


async def _head(query: AccountQuery, at: Snapshot) -> Statement:
    return Statement.at(query, await store.account(at.conn, query), at)


_VIEW: Final = PagedView(
    place=TypeAdapter(Place),
    head=_head,
    page=store.page,
    every=store.every,
    place_of=store.place_of,
    navigation=navigation,
)
