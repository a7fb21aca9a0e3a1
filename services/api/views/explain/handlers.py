"""The call that shows which records add up to a figure of a customer's row."""

from typing import Final

from aiohttp import web
from pydantic import TypeAdapter

from services.api.core import fields
from services.api.core.query_string import parse_query
from services.api.http.appkeys import PRINCIPAL
from services.api.http.periods import requested_period
from services.api.views.explain import store
from services.api.views.explain.model import ExplainOptions
from services.api.views.explain.navigation import navigation
from services.api.views.explain.report import Explained
from services.api.views.explain.store import Place, Question
from services.api.views.paged import PagedView
from services.api.views.snapshot import Snapshot


async def show(request: web.Request) -> web.StreamResponse:
    """Answer with a figure of a customer's row, its definition and its parts."""
    period = await requested_period(request)
    options = parse_query(ExplainOptions, request.query.items())
    question = Question(
        business_id=request[PRINCIPAL].business_id,
        customer_id=fields.customer_id(request.match_info["id"]),
        period=period,
        field=request.match_info["field"],
        basis=options.basis,
    )
    question.check()
    return await _VIEW.show(request, question, options)


async def _head(question: Question, at: Snapshot) -> Explained:
    return Explained.at(question, await store.total(at.conn, question), at)


_VIEW: Final = PagedView(
    place=TypeAdapter(Place),
    head=_head,
    page=store.page,
    every=store.every,
    place_of=store.place_of,
    navigation=navigation,
)
