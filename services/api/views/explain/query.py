"""The queries of an explanation, composed of the fragments in queries.sql."""

from functools import cache

from services.api.formats.report import Kind
from services.api.reports.basis import Basis
from services.api.reports.query import EXACT, NAMED, figures
from services.api.views.explain.fields import FIELDS, Explanation, Source
from shared.db import sql

_fragments = sql.load("services.api.views.explain")
_AFTER = """
WHERE (-abs(amount), coalesce(document_id, deposit_id, -1), coalesce(payment_id, -1))
    > (-$size::numeric, $first_id::bigint, $second_id::bigint)"""
_LIMIT = "\nLIMIT $limit"


@cache
def parts(explanation: Explanation) -> str:
    """Return the query of all parts of a figure: its definition, with named parameters."""
    return "\nUNION ALL\n".join(_of_source(source) for source in explanation.sources)


@cache
def in_order(explanation: Explanation) -> str:
    """Return the query of all parts, the largest first."""
    return _in_order(explanation)


@cache
def first_page(explanation: Explanation) -> str:
    """Return the query of the largest parts."""
    return _in_order(explanation, limit=_LIMIT)


@cache
def further_page(explanation: Explanation) -> str:
    """Return the query of the largest of the parts that come after a given one."""
    return _in_order(explanation, after=_AFTER, limit=_LIMIT)


@cache
def totals(basis: Basis) -> str:
    """Return the query of one customer's row: all fields that can be explained.

    Of one statement for all fields, Postgres keeps one plan, and not one for each field.
    """
    fields = (_in_row(name, field.explanation(basis).kind) for name, field in FIELDS.items())
    return sql.filled(
        _fragments.totals,
        figures=figures(NAMED, EXACT, basis),
        fields=", ".join(fields),
        customer=NAMED.customer,
    )


def _in_row(name: str, kind: Kind) -> str:
    return f"{name} * 0.0001 AS {name}" if kind is Kind.MONEY else name


def _in_order(explanation: Explanation, *, after: str = "", limit: str = "") -> str:
    return sql.filled(_fragments.in_order, parts=parts(explanation), after=after, limit=limit)


def _of_source(source: Source) -> str:
    where = ""
    if source.by_issue_date:
        where += "\n    AND i.issue_date BETWEEN $start AND $end"
    if source.by_paid_on:
        where += "\n    AND p.paid_on BETWEEN $start AND $end"
    if source.channel:
        where += f"\n    AND p.channel = '{source.channel}'"
    query: str = getattr(_fragments, source.query)
    return sql.filled(query, where=where, sign="-" if source.is_subtracted else "")
