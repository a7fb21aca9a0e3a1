"""What leads from one page to another: tabs, the box of the period, heads of columns, pages."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.api.formats.page import urls
from services.api.formats.page.figures import NUMBERS
from services.api.formats.page.navigation import Customer, Navigation, Paging, Query, View
from services.api.formats.page.table import Heading
from services.api.formats.report import Column, Kind, Report
from shared.period import Period
from shared.statements.wording import period as in_words

# How /reports names a view, and the key that opens it after `g`.
SLUGS = {
    View.LIST: "customers",
    View.SUMMARY: "summary",
    View.SERIES: "series",
    View.AGING: "aging",
    View.CUSTOMER: "customer",
    View.TRANSACTIONS: "transactions",
    View.EXPLAIN: "explain",
}
_KEYS = {
    View.LIST: "c",
    View.SUMMARY: "s",
    View.SERIES: "m",
    View.AGING: "a",
    View.CUSTOMER: "o",
    View.TRANSACTIONS: "t",
}
_OF_ALL = (View.LIST, View.SUMMARY, View.SERIES, View.AGING)
_OF_ONE = (View.CUSTOMER, View.TRANSACTIONS)
_SHORTCUTS = ("this-month", "last-month", "this-quarter", "ytd", "last-year")
_WORDS = (
    *("today", "yesterday", "this-week", "last-week", "this-month", "last-month"),
    *("this-quarter", "last-quarter", "this-year", "last-year", "mtd", "qtd", "ytd"),
    *("last-7-days", "last-30-days", "last-90-days", "last-12-months", "fy", "last-fy"),
)
# Titles that are shorter on a page than in a file, where other columns stand beside them.
HEADS = {"business_name": "Customer", "invoice_count": "Invoices"}
_TITLES = {"ytd": "Year to date"}


def tabs(report: Report, navigation: Navigation) -> Sequence[Mapping[str, Any]]:
    """Return the views of all customers, and those of the page's customer if it has one.

    The statement of a customer is a document of its own, which has no tabs.
    """
    customer = navigation.customer
    views = [*_OF_ALL, *(_OF_ONE if customer else ())]
    found = [
        {
            "title": view.value,
            "url": _tab(view, report.period, navigation),
            "is_current": view is navigation.view,
            "key": _KEYS[view],
        }
        for view in views
    ]
    if customer is not None and navigation.view is not View.AGING:
        url = urls.statement_path(customer.id, report.period)
        found.append({"title": "Statement", "url": url, "is_current": False, "key": ""})
    return found


def _tab(view: View, period: Period, navigation: Navigation) -> str:
    path = urls.view_path(view, period, navigation.customer)
    query = urls.kept(navigation.query, view)
    if view is View.AGING:
        query = [*query, ("as_of", str(period.end))]
    return urls.with_query(path, query)


def period_box(report: Report, navigation: Navigation) -> Mapping[str, Any]:
    """Return the box in which a person writes a period, and the links to periods near by."""
    if navigation.view is View.AGING:
        return {"asks_period": False}
    fields = _fields(navigation)
    before, after = urls.neighbours(report.period)
    return {
        "asks_period": True,
        "period_fields": fields,
        "word": word(report, navigation),
        "before": _near(before, navigation),
        "after": _near(after, navigation),
        "words": _WORDS,
        "shortcuts": [
            {
                "title": _TITLES.get(each, each.replace("-", " ").capitalize()),
                "url": urls.with_query(urls.START, [*fields, ("period", each)]),
            }
            for each in _SHORTCUTS
        ],
    }


def place(navigation: Navigation) -> Query:
    """Return the fields by which /reports leads back to this view."""
    fields = [("view", SLUGS[navigation.view])]
    if navigation.customer is not None:
        fields.append(("customer", str(navigation.customer.id)))
    if navigation.figure:
        fields.append(("field", navigation.figure))
    return fields


def word(report: Report, navigation: Navigation) -> str:
    """Return the period as the caller wrote it, or as two days."""
    return navigation.word or f"{report.period.start}..{report.period.end}"


def _fields(navigation: Navigation) -> Query:
    fields = place(navigation)
    left_out = {"cursor", "page", "format", "period", *dict(fields)}
    return [*fields, *((name, value) for name, value in navigation.query if name not in left_out)]


def _near(period: Period | None, navigation: Navigation) -> Mapping[str, str] | None:
    if period is None:
        return None
    path = _path(navigation, period)
    return {"url": urls.with_query(path, navigation.query), "days": in_words(period)}


def _path(navigation: Navigation, period: Period) -> str:
    customer: Customer | None = navigation.customer
    if navigation.view is View.EXPLAIN and customer is not None:
        return urls.explain_path(customer.id, period, navigation.figure)
    return urls.view_path(navigation.view, period, customer)


def title_of(column: Column) -> str:
    """Return the title of a column on a page."""
    return HEADS.get(column.name, column.title)


def headings(navigation: Navigation | None, columns: Sequence[Column]) -> Sequence[Heading]:
    """Return the heads of columns; those that can be sorted by lead to the page sorted so."""
    return [_heading(navigation, column) for column in columns]


def _heading(navigation: Navigation | None, column: Column) -> Heading:
    is_number, title = column.kind in NUMBERS, title_of(column)
    if navigation is None or column.name not in navigation.sortable:
        return Heading(title, is_number)
    down, up = f"-{column.name}", column.name
    first, second = (up, down) if column.kind is Kind.TEXT else (down, up)
    wanted = second if navigation.sort == first else first
    direction = {down: "descending", up: "ascending"}.get(navigation.sort)
    url = urls.with_query(navigation.path, navigation.query, sort=wanted)
    return Heading(title, is_number, url, direction)


def pages(navigation: Navigation, count: int) -> Mapping[str, Any] | None:
    """Return the links to the other pages of a list; None if it has one only."""
    paging = navigation.paging
    if paging is None or not (_first(navigation, paging) or paging.prev or paging.next):
        return None
    return {
        "shown": f"{count:,} rows" if paging.total is None else f"{count:,} of {paging.total:,}",
        "links": [
            {"title": "First", "url": _first(navigation, paging), "rel": "", "key": ""},
            {"title": "Previous", "url": paging.prev, "rel": "prev", "key": "k"},
            {"title": "Next", "url": paging.next, "rel": "next", "key": "j"},
            {"title": "Last", "url": paging.last if paging.next else None, "rel": "", "key": ""},
        ],
    }


def _first(navigation: Navigation, paging: Paging) -> str | None:
    """Return the URL of the first page, if it is not this one."""
    is_further = paging.prev or any(name in {"cursor", "page"} for name, _ in navigation.query)
    return paging.first if is_further else None


def keys(navigation: Navigation) -> Sequence[tuple[str, str]]:
    """Return the keys that the page takes, each with what it does."""
    views = [*_OF_ALL, *(_OF_ONE if navigation.customer else ())]
    found = [("?", "show these keys"), ("h", "hide or show amounts")]
    if navigation.view is not View.AGING:
        found += [("p", "write a period"), ("[", "the period before"), ("]", "the period after")]
    if navigation.view in {View.LIST, View.AGING}:
        found.append(("/", "search a customer"))
    if navigation.paging is not None:
        found += [("j", "the next page"), ("k", "the previous page")]
    return [*found, *((f"g {_KEYS[view]}", view.value) for view in views)]
