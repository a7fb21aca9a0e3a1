"""One customer as a page: each of its figures with a link, and what else is known of it."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from aiohttp import web

from services.api.businesses.model import Business
from services.api.formats.answer import answer
from services.api.formats.negotiation import Format
from services.api.formats.page import urls
from services.api.formats.page.heads import title_of
from services.api.formats.page.names import name_of
from services.api.formats.page.navigation import Customer, Fact, Navigation, View
from services.api.formats.page.requested import navigation
from services.api.formats.report import Kind, Report, Value
from services.api.reports.listing.fields import OWN
from services.api.reports.meta import describe
from shared.period import Period

_FIGURES: Final = (
    *("balance", "amount_due", "total_paid", "owing", "amount_paid", "online_amount_paid"),
    *("deposit_amount", "invoice_count", "average_payment_terms"),
)
_DETAILS: Final = (
    *("first_name", "last_name", "category", "business_email", "business_phone", "phone_number"),
    *("business_address", "business_location"),
)
_COLUMNS: Final = {each.column.name: each.column for each in OWN}


async def show(
    request: web.Request, row: str, business: Business, period: Period, version: str
) -> web.StreamResponse:
    """Answer with the page of a customer, whose row is JSON that Postgres wrote."""
    found = json.loads(row, parse_float=Decimal)
    report = Report(
        kind="income-of-customer",
        title="Income",
        business=business,
        period=period,
        columns=tuple(_COLUMNS.values()),
        rows=_no_rows,
        totals={},
        meta=describe(business, period, ledger_version=version).to_fields(),
    )
    return await answer(
        request, report, Format.HTML, navigation=_navigation(request, found, period)
    )


async def _no_rows() -> AsyncIterator[Sequence[Sequence[Value]]]:
    for none in tuple[Sequence[Sequence[Value]], ...]():
        yield none


def _navigation(request: web.Request, row: Mapping[str, Any], period: Period) -> Navigation:
    names = (row[name] for name in ("business_name", "first_name", "last_name"))
    customer = Customer(row["id"], name_of(row["id"], *names))
    return navigation(
        request,
        View.CUSTOMER,
        (Format.JSON,),
        customer=customer,
        facts=[_fact(name, row[name], customer, period) for name in _FIGURES],
        details=[(_COLUMNS[name].title, row[name] or "") for name in _DETAILS],
    )


def _fact(name: str, value: int | Decimal | None, customer: Customer, period: Period) -> Fact:
    column = _COLUMNS[name]
    amount = Decimal(value) if column.kind is Kind.MONEY and value is not None else value
    return Fact(
        name, column.kind, title_of(column), amount, urls.explain_path(customer.id, period, name)
    )
