"""The form above a table: what the page shows of all that the view has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.api.formats.page import urls
from services.api.formats.page.heads import place, word
from services.api.formats.page.navigation import Navigation, View
from services.api.formats.report import Report

Options = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class _Field:
    name: str
    title: str
    options: Options = ()
    type: str = "text"
    hint: str = ""


_SEARCH = _Field("q", "Search", type="search", hint="Name or e-mail")
_WHICH = _Field("active", "Customers", (("", "All"), ("1", "Active in the period")))
_OPEN = _Field("active", "Customers", (("", "All"), ("1", "With an open part")))
_ARCHIVED = _Field("archived", "Archived", (("", "Shown"), ("0", "Hidden"), ("1", "Only these")))
_LEAST = _Field("min_balance", "Balance from", hint="0")
_BASIS = _Field("basis", "Paid", (("", "On these documents"), ("cash", "In these days")))
_COMPARE = _Field(
    "compare",
    "Compare with",
    (("", "Nothing"), ("previous-period", "Period before"), ("previous-year", "Year before")),
)
_INTERVAL = _Field(
    "interval",
    "By",
    tuple((each, each.capitalize()) for each in ("day", "week", "month", "quarter", "year")),
)
_PER_PAGE = _Field("per_page", "Rows", (("", "100"), ("25", "25"), ("1000", "1,000")))
_AS_OF = _Field("as_of", "As of", type="date")
_BUCKETS = _Field("buckets", "Days", hint="30,60,90")
_FIELDS = {
    View.LIST: (_SEARCH, _WHICH, _ARCHIVED, _LEAST, _BASIS, _COMPARE, _PER_PAGE),
    View.SUMMARY: (_SEARCH, _WHICH, _ARCHIVED, _LEAST, _BASIS, _COMPARE),
    View.SERIES: (_INTERVAL, _BASIS),
    View.AGING: (_AS_OF, _BUCKETS, _SEARCH, _OPEN, _ARCHIVED, _PER_PAGE),
    View.EXPLAIN: (_BASIS,),
}


def filters(report: Report, navigation: Navigation) -> Mapping[str, Any] | None:
    """Return the form of a view's filters, filled in as they are in use; None if it has none."""
    fields = _FIELDS.get(navigation.view, ())
    if not fields:
        return None
    given = dict(navigation.query)
    names = {field.name for field in fields} | {"cursor", "page", "format", "period"}
    hidden = [(name, value) for name, value in navigation.query if name not in names]
    is_of_period = navigation.view is not View.AGING
    period = [("period", word(report, navigation))] if is_of_period else []
    is_set = any(given.get(field.name) for field in fields)
    return {
        "hidden": [*place(navigation), *period, *hidden],
        "fields": [
            {
                "name": field.name,
                "title": field.title,
                "type": field.type,
                "hint": field.hint,
                "value": given.get(field.name, ""),
                "options": _options(field, given.get(field.name, "")),
            }
            for field in fields
        ],
        "reset": urls.with_query(navigation.path, hidden) if is_set else None,
    }


def _options(field: _Field, value: str) -> Options:
    """Return the options of a field; a value in use that is none of them is one more."""
    known = {option for option, _ in field.options}
    return (
        (*field.options, (value, value)) if field.options and value not in known else field.options
    )
