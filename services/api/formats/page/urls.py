"""The URLs of pages, and the links between them."""

import calendar
from collections.abc import Iterable
from datetime import date, timedelta
from urllib.parse import quote, urlencode

from services.api.formats.page.navigation import Customer, Query, View
from shared.period import Period

REPORTS = "/api/v3/reports/customers"
# Where a person begins, and short links that lead on to the documents behind a figure: a table of
# 1,000 rows has thousands of them.
START = "/reports"

# What is about one page only, so that links to others leave it out.
_OF_ONE_PAGE = frozenset({"cursor", "page", "format", "bom"})
_ENDS = {View.SUMMARY: "/summary", View.SERIES: "/series", View.TRANSACTIONS: "/transactions"}
# The parameters of each view that other views understand as well.
_SHARED = frozenset({"basis"})
_FILTERS = frozenset({"q", "archived", "active", "category_id", "min_balance", "max_balance"})
_OF_CUSTOMERS = _SHARED | _FILTERS | {"id", "min_owing", "compare"}
_NONE = frozenset[str]()
_OF_VIEW = {
    View.LIST: _OF_CUSTOMERS,
    View.SUMMARY: _OF_CUSTOMERS,
    View.AGING: _FILTERS - {"min_balance", "max_balance"},
    View.CUSTOMER: _NONE,
    View.TRANSACTIONS: _NONE,
}


def short_links(period: Period) -> str:
    """Return the URL to which the short links of a report of this period are relative."""
    return f"{START}/{period.start}/{period.end}/"


def customer_path(customer: int, period: Period) -> str:
    """Return the path of one customer's report."""
    return f"{REPORTS}/client/{customer}/{period.start}/{period.end}"


def statement_path(customer: int, period: Period) -> str:
    """Return the path of the statement that a customer would get for this period."""
    return f"{customer_path(customer, period)}/statement"


def explain_path(customer: int, period: Period, field: str) -> str:
    """Return the path of the documents that make up one figure of a customer."""
    return f"{customer_path(customer, period)}/explain/{quote(field, safe='')}"


def view_path(view: View, period: Period, customer: Customer | None = None) -> str:
    """Return the path of a view of this period, of one customer if it has one."""
    if view is View.AGING:
        return f"{REPORTS}/aging"
    if view in {View.CUSTOMER, View.TRANSACTIONS} and customer is not None:
        return customer_path(customer.id, period) + _ENDS.get(view, "")
    return f"{REPORTS}/{period.start}/{period.end}{_ENDS.get(view, '')}"


def with_query(path: str, query: Iterable[tuple[str, str]], **changes: str | None) -> str:
    """Return `path` with the query; each of `changes` replaces a parameter, or takes it away.

    A parameter that is only about one page or one format does not come along.
    """
    kept = [(name, value) for name, value in query if name not in (_OF_ONE_PAGE | set(changes))]
    kept += [(name, value) for name, value in changes.items() if value is not None]
    return f"{path}?{urlencode(kept)}" if kept else path


def kept(query: Query, view: View) -> Query:
    """Return the parameters of `query` that the page of another view understands."""
    names = _OF_VIEW.get(view, _SHARED)
    return [(name, value) for name, value in query if name in names]


def neighbours(period: Period) -> tuple[Period | None, Period | None]:
    """Return the period before and the one after; None beyond the first and last year.

    Beside whole months are as many months, beside other days as many days.
    """
    months = _whole_months(period)
    if months:
        return _moved(period.start, -months, months), _moved(period.start, months, months)
    days = (period.end - period.start).days + 1
    return _days_from(period.start, -days, days), _days_from(period.start, days, days)


def _whole_months(period: Period) -> int:
    start, end = period.start, period.end
    if start.day != 1 or end.day != calendar.monthrange(end.year, end.month)[1]:
        return 0
    return (end.year - start.year) * 12 + end.month - start.month + 1


def _moved(start: date, by: int, months: int) -> Period | None:
    first = start.year * 12 + start.month - 1 + by
    last = first + months - 1
    if first < date.min.year * 12 or last >= (date.max.year + 1) * 12:
        return None
    year, month = last // 12, last % 12 + 1
    return Period(
        date(first // 12, first % 12 + 1, 1), date(year, month, calendar.monthrange(year, month)[1])
    )


def _days_from(start: date, by: int, days: int) -> Period | None:
    try:
        first = start + timedelta(days=by)
        return Period(first, first + timedelta(days=days - 1))
    except OverflowError:
        return None
