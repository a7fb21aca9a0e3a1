"""The queries of the list, composed of the table `figures` and the fragments of this folder."""

from collections.abc import Sequence
from functools import cache

from services.api.formats.json_value import Amounts
from services.api.formats.report import Kind
from services.api.reports.basis import Basis
from services.api.reports.filters import Filters
from services.api.reports.listing import written
from services.api.reports.listing.conditions import condition
from services.api.reports.listing.fields import Field, fields, summed
from services.api.reports.listing.model import Listing
from services.api.reports.listing.place import Place, SortKey, rows_before, sort_key
from services.api.reports.model import ReportQuery
from services.api.reports.query import EXACT, Arguments, Counting, figures, literals
from services.api.reports.sort import Sort
from shared.db import sql

_fragments = sql.load("services.api.reports.listing")

# The places of a page's arguments: the business, the period, the ids, and the period compared.
NUMBERED = Arguments("$1", "$2", "$3", "ANY($4::bigint[])")
_PREVIOUS = Arguments("$1", "$5", "$6", "ANY($4::bigint[])")


def arguments(listing: Listing) -> Arguments:
    """Return the arguments of the whole list, restricted to the ids that are wanted."""
    return literals(listing.query)._replace(customer=_some_of(listing.options.id))


def json_rows(listing: Listing, counting: Counting) -> str:
    """Return the query of all rows as JSON objects."""
    row = written.json_row(
        literals(listing.query), listing.options.amounts, is_compared=listing.is_compared
    )
    return _rows(listing, counting, row)


def csv_rows(listing: Listing, counting: Counting) -> str:
    """Return the query of all rows as lines of CSV."""
    row = written.csv_row(literals(listing.query), is_compared=listing.is_compared)
    return _rows(listing, counting, row)


def values(listing: Listing) -> str:
    """Return the query of all rows as columns."""
    return sql.filled(
        _fragments.values,
        **_chosen(listing, EXACT),
        **_ordered(listing),
        columns=_columns(is_compared=listing.is_compared),
    )


def ranking(
    listing: Listing, counting: Counting, place: Place | None, most: int | None = None
) -> str:
    """Return the query of all ids in order, and of how many stand before `place`.

    If only the first rows are wanted, as many as `most`, the others need not be sorted. If these
    are also the first of all customers, Postgres counts them in an index, without their figures.
    """
    options = listing.options
    is_counted_apart = listing.is_standing and most is not None and not options.given()
    if listing.is_standing:
        table = _standing(listing.query, counting)
    else:
        table = figures(arguments(listing), counting, options.basis, activity=options.active)
    return sql.filled(
        _fragments.ranking,
        **_ordered(listing),
        figures=table,
        materialized="NOT MATERIALIZED" if is_counted_apart else "MATERIALIZED",
        filters=condition(options),
        business=str(listing.query.business_id),
        before=rows_before(listing.options.sort, place),
        most="ALL" if most is None else str(most),
    )


def chosen_ids(query: ReportQuery, filters: Filters, counting: Counting = EXACT) -> str:
    """Return the query of the ids that the filters choose from the list of a period.

    It may stand in brackets as a table of another query.
    """
    if filters.depend_on_period:
        given = literals(query)._replace(customer=_some_of(filters.id))
        table = figures(given, counting, activity=filters.active)
    else:
        table = _standing(query, counting)
    return sql.filled(_fragments.chosen_ids, figures=table, filters=condition(filters))


def totals(listing: Listing, counting: Counting) -> str:
    """Return the query of the sums over all rows."""
    sums = (
        f'{_sum(each)} AS "{each.column.name}"' for each in summed(is_compared=listing.is_compared)
    )
    return sql.filled(_fragments.totals, **_chosen(listing, counting), sums=", ".join(sums))


@cache
def json_page(sort: Sort, basis: Basis, amounts: Amounts, *, is_compared: bool) -> str:
    """Return the query of some rows as JSON objects; Postgres keeps its plan."""
    row = written.json_row(NUMBERED, amounts, is_compared=is_compared)
    return sql.filled(_fragments.page, **_some(sort, basis, is_compared=is_compared), row=row)


@cache
def csv_page(sort: Sort, basis: Basis, *, is_compared: bool) -> str:
    """Return the query of some rows as lines of CSV; Postgres keeps its plan."""
    row = written.csv_row(NUMBERED, is_compared=is_compared)
    return sql.filled(_fragments.page, **_some(sort, basis, is_compared=is_compared), row=row)


@cache
def page_values(sort: Sort, basis: Basis, *, is_compared: bool) -> str:
    """Return the query of some rows as columns; Postgres keeps its plan."""
    return sql.filled(
        _fragments.page_values,
        **_some(sort, basis, is_compared=is_compared),
        columns=_columns(is_compared=is_compared),
    )


def _some_of(ids: Sequence[int]) -> str:
    """Return the restriction of figures to some customers; no ids mean all."""
    return f"ANY(ARRAY[{', '.join(map(str, ids))}]::bigint[])" if ids else ""


def _standing(query: ReportQuery, counting: Counting) -> str:
    business = str(query.business_id)
    return sql.filled(_fragments.standing, **counting._asdict(), business=business)


def _rows(listing: Listing, counting: Counting, row: str) -> str:
    return sql.filled(_fragments.rows, **_chosen(listing, counting), **_ordered(listing), row=row)


def _chosen(listing: Listing, counting: Counting) -> dict[str, str]:
    """Return the texts for the table of all rows and the condition that chooses some."""
    given, basis = arguments(listing), listing.options.basis
    previous = None
    if listing.previous is not None:
        previous = literals(listing.previous)._replace(customer=given.customer)
    own = figures(given, counting, basis, activity=listing.options.active)
    compared = None if previous is None else figures(previous, counting, basis)
    return {**_table(own, compared), "filters": condition(listing.options)}


def _some(sort: Sort, basis: Basis, *, is_compared: bool) -> dict[str, str]:
    """Return the texts for the table of the rows with the ids of a page."""
    previous = figures(_PREVIOUS, EXACT, basis) if is_compared else None
    table = _table(figures(NUMBERED, EXACT, basis), previous)
    return {**table, **NUMBERED._asdict(), "sort_text": sort_key(sort).text}


def _table(own: str, previous: str | None) -> dict[str, str]:
    """Return the texts for the figures, and for those of another period beside them."""
    if previous is None:
        return {"figures": own, "table": "figures"}
    compared = sql.filled(_fragments.with_previous, figures=own, previous_figures=previous)
    return {"figures": compared, "table": "compared"}


def _ordered(listing: Listing) -> dict[str, str]:
    sort = listing.options.sort
    key: SortKey = sort_key(sort)
    direction = "DESC" if sort.is_descending else "ASC"
    return {
        "sort_value": key.expression,
        "order": f"sort_value {direction} NULLS LAST, id",
    }


def _columns(*, is_compared: bool) -> str:
    return ", ".join(
        f'{written.value(each)} AS "{each.column.name}"' for each in fields(is_compared=is_compared)
    )


def _sum(field: Field) -> str:
    match field.kind:
        case Kind.MONEY:
            return sql.filled(_fragments.sum_money, field=field.sql)
        case Kind.COUNT:
            return sql.filled(_fragments.sum_count, field=field.sql)
        case _ if field.sql.startswith("change_"):
            return f"trim_scale({_mean('')} - {_mean('previous_')})"
        case _:
            return _mean(field.sql.removesuffix("average_payment_terms"))


def _mean(of: str) -> str:
    return sql.filled(_fragments.sum_days, days=f"{of}days", documents=f"{of}paid_in_full")
