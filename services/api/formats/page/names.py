"""The names of customers, as pages and PDFs show them."""

from collections.abc import Mapping, Sequence

from services.api.formats.report import Column, Value


def name_of(
    customer: object,
    business_name: object = None,
    first_name: object = None,
    last_name: object = None,
) -> str:
    """Return the name by which people know a customer; its number if it has no name."""
    person = " ".join(str(each) for each in (first_name, last_name) if each)
    return str(business_name) if business_name else person or f"Customer {customer}"


def with_names(
    columns: Sequence[Column], rows: Sequence[Sequence[Value]]
) -> Sequence[Sequence[Value]]:
    """Return the rows, in which each customer has a name by which it can be found."""
    places = {column.name: place for place, column in enumerate(columns)}
    if not {"id", "business_name"} <= places.keys():
        return rows
    return [_named(row, places) for row in rows]


def _named(row: Sequence[Value], places: Mapping[str, int]) -> Sequence[Value]:
    name = places["business_name"]
    if row[name]:
        return row
    persons = (row[places[each]] for each in ("first_name", "last_name") if each in places)
    known = name_of(row[places["id"]], None, *persons)
    return [*row[:name], known, *row[name + 1 :]]
