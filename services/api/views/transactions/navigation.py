from datetime import date, timedelta

from aiohttp import web

from services.api.formats.page import requested, urls
from services.api.formats.page.navigation import Customer, Fact, Navigation, Paging, View
from services.api.formats.report import Kind
from services.api.views.paging import DOWNLOADS
from services.api.views.transactions.report import STEPS, Statement
from shared.period import Period

_COLUMNS = ("date", "kind", "number", "charge", "credit", "balance")


def navigation(
    request: web.Request, statement: Statement, customer: Customer, paging: Paging
) -> Navigation:
    """Return where the page of an account leads, and what it shows beside the lines."""
    period = statement.query.period
    links = {"closing_balance": _until(customer, period.end)}
    if period.start > date.min:
        links["opening_balance"] = _until(customer, period.start - timedelta(days=1))
    facts = (
        Fact(name, Kind.MONEY, title, getattr(statement.account, name), links.get(name))
        for name, title in STEPS.items()
    )
    return requested.navigation(
        request,
        View.TRANSACTIONS,
        DOWNLOADS,
        title="Transactions",
        columns=_COLUMNS,
        customer=customer,
        facts=tuple(facts),
        paging=paging,
    )


def _until(customer: Customer, end: date) -> str:
    """Return the path of all transactions that make up the balance at the end of a day."""
    return urls.view_path(View.TRANSACTIONS, Period(date.min, end), customer)
