from aiohttp import web

from services.api.formats.page import requested
from services.api.formats.page.navigation import Code, Customer, Fact, Navigation, Paging, View
from services.api.reports.listing.fields import OWN
from services.api.views.explain.report import Explained
from services.api.views.paging import DOWNLOADS

_COLUMNS = ("date", "kind", "number", "status", "days", "amount")
_TITLES = {each.column.name: each.column.title for each in OWN}


def navigation(
    request: web.Request, explained: Explained, customer: Customer, paging: Paging
) -> Navigation:
    """Return where the page of an explanation leads, and what it shows beside the parts."""
    question = explained.question
    query, parameters = explained.definition()
    return requested.navigation(
        request,
        View.EXPLAIN,
        DOWNLOADS,
        title=_TITLES[question.field],
        customer=customer,
        figure=question.field,
        columns=_COLUMNS,
        facts=(Fact(question.field, explained.kind, "Total", explained.total),),
        code=Code(question.explanation.definition, query, parameters),
        paging=paging,
    )
