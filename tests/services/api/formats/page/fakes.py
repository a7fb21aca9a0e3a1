"""Reports as the page gets them from the views."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

from services.api.businesses.model import Business
from services.api.formats.page import urls
from services.api.formats.page.navigation import Navigation, Paging, View
from services.api.formats.report import Column, Kind, Report, Value
from shared.period import Period

NOVEMBER = Period(date(2024, 11, 1), date(2024, 11, 30))
BUSINESS = Business(1, "Adom Wholesale", "GHS", "Africa/Accra")
COLUMNS = (
    Column("id", Kind.ID, "Customer no."),
    Column("business_name", Kind.TEXT, "Customer"),
    Column("first_name", Kind.TEXT, "First name"),
    Column("balance", Kind.MONEY, "Balance"),
    Column("amount_due", Kind.MONEY, "Billed"),
    Column("total_paid", Kind.MONEY, "Paid"),
    Column("owing", Kind.MONEY, "Owing"),
    Column("invoice_count", Kind.COUNT, "Invoices"),
    Column("average_payment_terms", Kind.DAYS, "Days to pay"),
)
FIGURES = tuple(column.name for column in COLUMNS[3:])


def report(*rows: Sequence[Value], **given: Any) -> Report:
    async def read() -> AsyncIterator[Sequence[Sequence[Value]]]:
        yield rows

    made = Report(
        kind="income-by-customer",
        title="Income by customer",
        business=BUSINESS,
        period=NOVEMBER,
        columns=COLUMNS,
        rows=read,
        totals={},
        meta={"basis": "accrual", "excluded": {"documents": ["draft", "void"]}},
    )
    return replace(made, **given)


def row(number: int = 4, name: str | None = "Kofi & Sons", first: str | None = None) -> list[Value]:
    money = (Decimal("1234.5"), Decimal("-0.0625"), Decimal(0), Decimal("99.99"))
    return [number, name, first, *money, 3, Decimal("13.57")]


def navigation(**given: Any) -> Navigation:
    made = Navigation(
        view=View.LIST,
        path=f"{urls.REPORTS}/2024-11-01/2024-11-30",
        columns=("business_name", *FIGURES),
        sortable=frozenset(column.name for column in COLUMNS),
        sort="-balance",
        base=urls.short_links(NOVEMBER),
        links={
            "business_name": lambda row: str(row[0]),
            **{name: lambda row, name=name: f"{row[0]}/{name}" for name in FIGURES},  # type: ignore[misc]
        },
        paging=Paging(1),
    )
    return replace(made, **given)


class Reader(HTMLParser):
    """Reads a page: its tags with their attributes, and the cells of its tables."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.rows: list[list[str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append([])
        elif tag in {"td", "th"} and self.rows:
            self.rows[-1].append("")

    def handle_data(self, data: str) -> None:
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "table":
            self.rows.append([])

    def all(self, tag: str, name: str) -> list[str | None]:
        """The values of an attribute of all elements of one name."""
        return [attrs[name] for each, attrs in self.tags if each == tag and name in attrs]
