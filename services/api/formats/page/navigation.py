"""What stands around the table on a page: where its links lead, and what is drawn beside it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import Enum

from services.api.formats.report import Column, Kind, Report, Value

Query = Sequence[tuple[str, str]]
# From the values of a row to the URL of one of its cells; None leaves the cell without a link.
Link = Callable[[Sequence[Value]], str | None]


class View(Enum):
    """What a page shows; the value is its name on the tabs."""

    LIST = "Customers"
    SUMMARY = "Summary"
    SERIES = "Over time"
    AGING = "Ageing"
    CUSTOMER = "Overview"
    TRANSACTIONS = "Transactions"
    EXPLAIN = "Explanation"


@dataclass(frozen=True)
class Customer:
    """The customer of a page about one customer."""

    id: int
    name: str


@dataclass(frozen=True)
class Paging:
    """The URLs of the pages around a page, and the number of rows on all of them, if known."""

    total: int | None = None
    first: str | None = None
    prev: str | None = None
    next: str | None = None
    last: str | None = None


@dataclass(frozen=True)
class Fact:
    """A figure that stands alone, with the URL of the documents behind it."""

    name: str
    kind: Kind
    title: str
    value: Value
    link: str | None = None


@dataclass(frozen=True)
class Bar:
    """A bar of a chart: whose it is, how long, and the URLs behind its name and its figure."""

    label: str
    value: Decimal
    link: str | None = None
    explained: str | None = None


@dataclass(frozen=True)
class Interval:
    """What was billed and paid in one interval of a chart over time.

    It is `partial` if the period of the report cuts it.
    """

    start: date
    end: date
    billed: Decimal
    paid: Decimal
    partial: bool = False


@dataclass(frozen=True)
class Table:
    """One more table of a page, such as the categories of a summary."""

    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Value]]
    totals: Mapping[str, Value] = field(default_factory=dict)
    links: Mapping[str, Link] = field(default_factory=dict)


@dataclass(frozen=True)
class Code:
    """A definition in words, and the query that computes it with its parameters."""

    words: str
    sql: str
    parameters: Sequence[object] = ()


@dataclass(frozen=True, kw_only=True)
class Navigation:
    """Where a page leads, and what it shows beside its table.

    `path` is the path of the page with the dates of its period, and `query` its parameters as the
    caller wrote them, which links keep. `word` is the period as the caller wrote it. Of the
    report's columns the page shows those named in `columns`, or all if none are named; `sortable`
    are the names by which the view can be sorted, and `sort` is the sort in use. `links` has the
    link of each column's cells by the column's name; they may be relative to `base`.
    """

    view: View
    path: str
    query: Query = ()
    word: str = ""
    # In place of the title of the report.
    title: str = ""
    customer: Customer | None = None
    # The figure that is explained.
    figure: str = ""
    formats: Sequence[str] = ("csv", "xlsx", "json")
    columns: Sequence[str] = ()
    sortable: frozenset[str] = frozenset()
    sort: str = ""
    links: Mapping[str, Link] = field(default_factory=dict)
    base: str | None = None
    paging: Paging | None = None
    facts: Sequence[Fact] = ()
    bars_title: str = ""
    bars: Sequence[Bar] = ()
    intervals: Sequence[Interval] = ()
    tables: Sequence[Table] = ()
    # What else is known of a customer, each with its title.
    details: Sequence[tuple[str, str]] = ()
    code: Code | None = None
    # Whether a session is signed in, which the page can then end.
    signed_in: bool = False


def shown(report: Report, navigation: Navigation) -> Sequence[tuple[int, Column]]:
    """Return the columns that the page shows, each with its place in the report's rows."""
    places = {column.name: place for place, column in enumerate(report.columns)}
    names = navigation.columns or tuple(places)
    return [(places[name], report.columns[places[name]]) for name in names if name in places]
