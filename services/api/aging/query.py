"""The ageing's queries, composed of the fragments in queries.sql."""

from collections.abc import Iterator

from services.api.aging.fields import Field, amounts
from services.api.aging.listing import Aging
from services.api.aging.model import AgingQuery
from services.api.formats.json_value import Amounts
from services.api.reports.listing.conditions import of_customers
from services.api.reports.listing.place import Place, rows_before, sort_key
from services.api.reports.query import EXACT, Counting
from shared.db import sql

_fragments = sql.load("services.api.aging")
_COMMA = ", ',', "


def figures(query: AgingQuery, counting: Counting) -> str:
    """Return the WITH list that ends in the table `figures`: the ageing as columns."""
    conditions = dict(_conditions(query))
    sums = (
        sql.filled(_fragments.sum_of, sum=counting.sum, condition=condition, column=column)
        for column, condition in conditions.items()
    )
    parts = (sql.filled(_fragments.amount_of, column=column) for column in conditions)
    return sql.filled(
        _fragments.figures,
        **counting._asdict(),
        business=str(query.business_id),
        as_of=_day(query),
        sums=", ".join(sums),
        amounts=", ".join(parts),
    )


def json_rows(aging: Aging, counting: Counting) -> str:
    """Return the query of all rows as JSON objects, and of one more object with their totals."""
    fields = amounts(aging.options.buckets)
    as_text = aging.options.amounts is Amounts.STRING
    row = [_member(each, each.sql, as_text=as_text) for each in fields]
    names = "'\"id\":', id, ',\"business_name\":', coalesce(to_json(business_name)::text, 'null')"
    totals = [_member(each, _sum(each), as_text=as_text) for each in fields]
    return sql.filled(
        _fragments.json_rows,
        **_chosen(aging, counting),
        columns=", ".join(each.sql for each in fields),
        row=f"concat('{{', {_COMMA.join([names, *row])}, '}}')",
        totals=f"concat('{{', {_COMMA.join(totals)}, '}}')",
    )


def summary(aging: Aging, place: Place | None) -> str:
    """Return the query of the number of rows, of those before a place, and of the totals."""
    totals = (f'{_total(each)} AS "{each.column.name}"' for each in amounts(aging.options.buckets))
    return sql.filled(
        _fragments.summary,
        **_chosen(aging, EXACT),
        before=rows_before(aging.sort, place),
        sums=", ".join(totals),
    )


def values(aging: Aging, numbers: range | None = None) -> str:
    """Return the query of all rows as columns, or of those with these numbers, from 0."""
    columns = (f"units_number({each.sql}::numeric)" for each in amounts(aging.options.buckets))
    limit = "" if numbers is None else f"OFFSET {numbers.start} LIMIT {len(numbers)}"
    return sql.filled(
        _fragments.values,
        **_chosen(aging, EXACT),
        columns=", ".join(columns),
        sort_text=sort_key(aging.sort).text,
        limit=limit,
    )


def _chosen(aging: Aging, counting: Counting) -> dict[str, str]:
    """Return the texts for the table of all rows, the condition for some, and their order."""
    direction = "DESC" if aging.sort.is_descending else "ASC"
    return {
        "figures": figures(aging.query, counting),
        "filters": " AND ".join(_filters(aging)) or "true",
        "sort_value": sort_key(aging.sort).expression,
        "order": f"sort_value {direction} NULLS LAST, id",
    }


def _filters(aging: Aging) -> Iterator[str]:
    yield from of_customers(aging.options)
    if aging.options.active:
        *parts, _ = amounts(aging.options.buckets)
        yield f"({' OR '.join(f'{each.sql} <> 0' for each in parts)})"


def _conditions(query: AgingQuery) -> Iterator[tuple[str, str]]:
    """Yield the columns of open parts, each with the condition for the parts that it adds up."""
    as_of, ends = _day(query), query.buckets.ends
    not_due, *past_due, no_due_date, credited, _, _ = amounts(query.buckets)
    yield not_due.sql, f"units > 0 AND due_date >= {as_of}"
    for field, first, last in zip(past_due, (0, *ends), (*ends, None), strict=True):
        since = "" if last is None else f" AND due_date >= {as_of} - {last}"
        yield field.sql, f"units > 0 AND due_date < {as_of} - {first}{since}"
    yield no_due_date.sql, "units > 0 AND due_date IS NULL"
    yield credited.sql, "units < 0"


def _member(field: Field, units: str, *, as_text: bool) -> str:
    """Return the texts of one member of a JSON object, as arguments of concat()."""
    name = f'"{field.column.name}":'
    return (
        f"'{name}\"', units_text({units}), '\"'" if as_text else f"'{name}', units_number({units})"
    )


def _total(field: Field) -> str:
    return f"units_number({_sum(field)})"


def _sum(field: Field) -> str:
    return sql.filled(_fragments.sum_over_rows, column=field.sql)


def _day(query: AgingQuery) -> str:
    return f"DATE '{query.as_of}'"
