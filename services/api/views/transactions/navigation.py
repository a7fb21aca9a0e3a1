from aiohttp import web

from services.api.formats.page import requested
from services.api.formats.page.navigation import Customer, Fact, Navigation, Paging, View
from services.api.formats.report import Kind
from services.api.views.paging import DOWNLOADS
from services.api.views.transactions.report import STEPS, Statement


def navigation(
    request: web.Request, statement: Statement, customer: Customer, paging: Paging
) -> Navigation:
    """Return where the page of an account leads, and what it shows beside the lines."""
    facts = (
        Fact(name, Kind.MONEY, title, getattr(statement.account, name))
        for name, title in STEPS.items()
    )
    return requested.navigation(
        request,
        View.TRANSACTIONS,
        DOWNLOADS,
        customer=customer,
        facts=tuple(facts),
        paging=paging,
    )
