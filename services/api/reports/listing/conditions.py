"""The filters of the list as conditions of SQL on the table `figures`."""

from collections.abc import Iterator
from decimal import Decimal

from services.api.reports.filters import CustomerFilters, Filters
from services.api.reports.listing.place import text_literal
from services.api.reports.query import customer_contains

_UNITS = 10_000  # of an amount


def condition(filters: Filters) -> str:
    """Return the condition that every filter in use is met; `true` if there are none.

    With `active`, the table has to have its columns of activity.
    """
    return " AND ".join(_conditions(filters)) or "true"


def of_customers(filters: CustomerFilters) -> Iterator[str]:
    """Yield the conditions of the filters by what customers are, on a table named `chosen`."""
    if filters.id:
        yield f"chosen.id IN ({_numbers(filters.id)})"
    if filters.category_id:
        yield f"category_id IN ({_numbers(filters.category_id)})"
    if filters.archived is not None:
        yield f"archived = {int(filters.archived)}"
    if filters.q:
        yield customer_contains(text_literal(filters.q))


def _conditions(filters: Filters) -> Iterator[str]:
    yield from of_customers(filters)
    if filters.min_balance is not None:
        yield f"balance >= {_units(filters.min_balance)}"
    if filters.max_balance is not None:
        yield f"balance <= {_units(filters.max_balance)}"
    if filters.min_owing is not None:
        yield f"owing >= {_units(filters.min_owing)}"
    if filters.active:
        yield "(documents > 0 OR receipts > 0)"


def _numbers(ids: tuple[int, ...]) -> str:
    return ", ".join(str(each) for each in sorted(set(ids)))


def _units(amount: Decimal) -> str:
    return f"({int(amount * _UNITS)})"
