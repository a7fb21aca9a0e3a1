"""The report's queries, composed of the fragments in queries.sql: which rows, in what form."""

from functools import cache
from typing import NamedTuple

from services.api.reports.basis import Basis
from services.api.reports.model import ReportQuery
from shared.db import sql

_fragments = sql.load("services.api.reports")


class Counting(NamedTuple):
    """The arithmetic of amounts: the type of their units, and the aggregate that adds them up."""

    units: str
    sum: str


EXACT = Counting("numeric", "sum")
# Faster. Ends in NumericValueOutOfRangeError before the first row if an amount is beyond
# 150,000,000,000.
BOUNDED = Counting("bigint", "sum_units")


class Arguments(NamedTuple):
    """A query's arguments as its text has them: as literals or as the places of prepared ones.

    `customers` is a range of ids as SQL has it: the first AND the last.
    """

    business: str
    start: str
    end: str
    customer: str = ""
    customers: str = ""


NUMBERED = Arguments("$1", "$2", "$3", "$4")
NAMED = Arguments("$business", "$start", "$end", "$customer")


def literals(query: ReportQuery) -> Arguments:
    """Return the arguments of `query` as literals. Numbers and dates need no quoting."""
    start, end = query.period.start, query.period.end
    return Arguments(str(query.business_id), f"DATE '{start}'", f"DATE '{end}'")


def figures(
    arguments: Arguments,
    counting: Counting,
    basis: Basis = Basis.ACCRUAL,
    *,
    activity: bool = False,
) -> str:
    """Return the WITH list that ends in the table `figures`: the report as columns.

    Arguments without customers stand for all customers of the business. With `activity`, the
    table also has the columns `documents` and `receipts`: the number of documents in the period,
    and of settled payments by their dates.
    """
    cash = basis is Basis.CASH
    parts = {**arguments._asdict(), **counting._asdict()}
    by_payment = cash or activity
    parts |= {
        "of_customer": sql.filled(_of_customer(arguments), **parts),
        "only_longer": "" if by_payment else _fragments.longer_than_a_day,
    }
    return sql.filled(
        _fragments.figures,
        **parts,
        periods_added=sql.filled(_fragments.of_periods, **parts, sign=""),
        periods_taken=sql.filled(_fragments.of_periods, **parts, sign="-"),
        paid_on_days=sql.filled(_fragments.paid_on_days, **parts) if by_payment else "",
        paid="received_" if cash else "",
        activity=_fragments.activity if activity else "",
    )


def _of_customer(arguments: Arguments) -> str:
    if arguments.customer:
        return _fragments.of_customer
    return _fragments.of_customers if arguments.customers else ""


def all_customers(arguments: Arguments, counting: Counting) -> str:
    """Return the query of all customers' rows as JSON, in the report's order."""
    return _as_json(_fragments.all_customers, arguments, counting)


@cache
def one_customer(arguments: Arguments = NUMBERED) -> str:
    """Return the query of one customer's row as JSON.

    Postgres keeps its plan, which is the same for every customer.
    """
    return _as_json(_fragments.one_customer, arguments, EXACT)


def customer_contains(text: str) -> str:
    """Return the condition that a customer contains `text`, an expression of SQL."""
    return sql.filled(_fragments.customer_contains, text=text)


def _as_json(query: str, arguments: Arguments, counting: Counting) -> str:
    parts = arguments._asdict()
    json = sql.filled(_fragments.json, **parts)
    return sql.filled(query, **parts, figures=figures(arguments, counting), json=json)
