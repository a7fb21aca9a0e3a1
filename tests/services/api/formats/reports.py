"""A report with every kind of column, and an API that answers with it in every format."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.typedefs import Handler

from services.api.access.model import Principal
from services.api.access.unread import Unread
from services.api.businesses.model import Business
from services.api.formats.answer import TYPESETTING, answer
from services.api.formats.negotiation import OF_LISTS, chosen, media_types
from services.api.formats.page.navigation import Navigation, View
from services.api.formats.pdf.typesetting import Typesetting
from services.api.formats.report import Column, Kind, Report, Value
from services.api.http import middlewares, writer
from services.api.http.appkeys import (
    CODING,
    DATABASES,
    FILES,
    PRINCIPAL,
    REQUEST_ID,
    ROUTE,
    UNREAD,
)
from services.api.http.databases import OpenDatabase
from services.api.http.negotiation import PLAIN
from services.api.http.route import Route
from services.api.openapi.operation import Operation, Parameter
from shared.period import Period
from shared.turns import Turns

COLUMNS = (
    Column("id", Kind.ID, "Id"),
    Column("business_name", Kind.TEXT, "Customer"),
    Column("created_at", Kind.CLOCK, "Created"),
    Column("issue_date", Kind.DATE, "Issued"),
    Column("archived", Kind.FLAG, "Archived"),
    Column("amount_due", Kind.MONEY, "Billed"),
    Column("invoice_count", Kind.COUNT, "Invoices"),
    Column("average_payment_terms", Kind.DAYS, "Terms"),
    Column("share", Kind.PERCENT, "Share"),
    Column("previous.amount_due", Kind.MONEY, "Billed before"),
)
FORMULAS = (
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\tx",
    "\rx",
    "\uff1d1",
    "\uff0b1",
    "\uff0d1",
    "\uff20x",
)
NAMES = (
    "Acme",
    'Say "hi", Ltd',
    "two\r\nlines",
    "",
    None,
    "Søren Ångström 株式会社",
    "شركة الاختبار",
    *FORMULAS,
    " =1+1",
    "_x000D_",
    "a-b",
    "'quoted",
)
TAGS = ("tag", "tag-gzip")
_AMOUNTS = (
    Decimal("1234.5"),
    Decimal("-99.9"),
    Decimal("0.1234"),
    Decimal(0),
    Decimal("-0.00"),
    Decimal("12345678901.2345"),
)


def rows_of(names: Sequence[str | None] = NAMES) -> list[list[Value]]:
    """Return a row for each name; ids have up to 19 digits, and dates reach back to year 1."""
    return [
        [
            4 if place else 2**63 - 1,
            name,
            datetime(2021, 3, 28, 2, 30, 15) if place else datetime(1, 1, 1),  # noqa: DTZ001
            date(2024, 2, 29) if place else date(1850, 12, 31),
            place % 2,
            _AMOUNTS[place % len(_AMOUNTS)],
            place * 1001,
            Decimal("-12.25"),
            Decimal("33.33"),
            None if place % 2 else Decimal("7.5"),
        ]
        for place, name in enumerate(names)
    ]


def report_of(
    rows: Sequence[Sequence[Value]],
    *,
    currency: str = "GHS",
    batch: int = 5,
    business: str = "Søren & Søn",
) -> Report:
    async def batches() -> AsyncIterator[Sequence[Sequence[Value]]]:
        for begin in range(0, len(rows), batch):
            await asyncio.sleep(0)
            yield rows[begin : begin + batch]

    return Report(
        kind="income-by-customer",
        title="Income by customer",
        business=Business(7, business, currency, "Africa/Accra"),
        period=Period(date(2026, 1, 1), date(2026, 3, 31)),
        columns=COLUMNS,
        rows=batches,
        totals={
            "amount_due": total(rows, "amount_due"),
            "invoice_count": int(total(rows, "invoice_count")),
        },
        meta={
            "basis": "accrual",
            "from": "2026-01-01",
            "to": "2026-03-31",
            "inclusive": True,
            "excluded": {"documents": ["draft", "void"], "payments": ["pending", "failed"]},
            "definition": "2026-11",
            "generated_at": "2026-04-01T10:00:00+00:00",
            "filters": {},
        },
    )


def total(rows: Sequence[Sequence[Value]], name: str) -> Decimal:
    """Return the sum of a column."""
    place = [column.name for column in COLUMNS].index(name)
    return sum((Decimal(str(row[place])) for row in rows if row[place] is not None), Decimal(0))


@dataclass
class Served:
    """An API that answers every request with one report."""

    report: Report
    navigation: Navigation = field(
        default_factory=lambda: Navigation(
            view=View.LIST,
            path="/",
            columns=[each.name for each in COLUMNS if each.kind is not Kind.ID],
        )
    )

    async def show(self, request: web.Request) -> web.StreamResponse:
        return await answer(
            request,
            self.report,
            chosen(request, OF_LISTS),
            tags=TAGS,
            navigation=self.navigation,
        )


class _Server(TestServer):
    """Lets handlers run on after their reader has left, as servers do outside tests."""

    async def _make_runner(self, **options: Any) -> web.BaseRunner:
        return await super()._make_runner(**options | {"handler_cancellation": False})


@asynccontextmanager
async def client_of(served: Served) -> AsyncIterator[TestClient[web.Request, web.Application]]:
    """Serve the report through the middlewares that answer, without keys or a database."""
    words = [Parameter(name, "query", name, "") for name in ("format", "bom")]
    operation = Operation("show", "", "", "", {}, parameters=tuple(words))
    route = Route("GET", "/", served.show, operation, produces=media_types(OF_LISTS))

    @web.middleware
    async def known(request: web.Request, handler: Handler) -> web.StreamResponse:
        request[ROUTE], request[REQUEST_ID], request[CODING] = route, "id", PLAIN
        request[PRINCIPAL] = Principal(UUID(int=1), 7, frozenset({"reports:read"}))
        return await handler(request)

    app = web.Application(
        middlewares=[known, writer.write, middlewares.explain, middlewares.negotiate]
    )
    app[FILES], app[UNREAD] = Turns(2, 1), Unread()
    # It is never asked.
    database = asyncpg.create_pool("postgresql://nowhere", min_size=0)
    app[DATABASES] = {"main": OpenDatabase("main", database, Turns(1, 1))}
    app.router.add_get("/", served.show)
    client = TestClient(_Server(app), headers={"Authorization": "Bearer x"})
    async with Typesetting() as app[TYPESETTING], client:
        yield client
