"""What a page draws from the report itself, if its view does not say it."""

from collections.abc import Sequence
from decimal import Decimal

from services.api.formats.page import urls
from services.api.formats.page.heads import title_of
from services.api.formats.page.navigation import Bar, Fact, Navigation, View, shown
from services.api.formats.page.table import Rows
from services.api.formats.report import Kind, Report

_BARS = 10
_ADDED_UP = frozenset({View.LIST, View.AGING, View.SUMMARY, View.SERIES})


def totals(report: Report, navigation: Navigation) -> Sequence[Fact]:
    """Return the totals of the columns that a page shows, if they are those of the whole report."""
    if navigation.view not in _ADDED_UP:
        return ()
    return [
        Fact(
            column.name,
            column.kind,
            title_of(column),
            report.totals[column.name],
            _by_size(navigation, column.name),
        )
        for _, column in shown(report, navigation)
        if column.name in report.totals and "." not in column.name
    ]


def _by_size(navigation: Navigation, name: str) -> str | None:
    """Return the URL of the same rows with the largest figures of a column first."""
    if name not in navigation.sortable:
        return None
    return urls.with_query(navigation.path, navigation.query, sort=f"-{name}")


def largest(report: Report, navigation: Navigation, rows: Rows) -> Sequence[Bar]:
    """Return the bars of the first customers of a list, if the largest amounts come first."""
    places = {column.name: (place, column) for place, column in shown(report, navigation)}
    sort, paging = navigation.sort, navigation.paging
    is_first = paging is None or paging.prev is None
    if not (is_first and sort.startswith("-") and sort[1:] in places and "business_name" in places):
        return ()
    place, column = places[sort[1:]]
    if column.kind is not Kind.MONEY:
        return ()
    name, _ = places["business_name"]
    whose, explained = (navigation.links.get(each) for each in ("business_name", column.name))
    return [
        Bar(
            str(row[name]),
            amount,
            whose(row) if whose else None,
            explained(row) if explained else None,
        )
        for row in rows[:_BARS]
        if isinstance(amount := row[place], Decimal)
    ]


def title_of_largest(report: Report, navigation: Navigation) -> str:
    """Return the title of the bars: the column by which the list is sorted."""
    titles = {column.name: column.title for column in report.columns}
    return f"Largest customers: {titles.get(navigation.sort.removeprefix('-'), '').lower()}"
