"""The query of a summary, composed of the report's figures and the fragments of this folder."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.api.reports.listing.conditions import condition
from services.api.reports.model import ReportQuery
from services.api.reports.query import Arguments, Counting, figures, literals
from services.api.views.summary.model import By, SummaryOptions
from shared.db import sql
from shared.period import Period

_fragments = sql.load("services.api.views.summary")

# The columns of `figures` from which all others follow. Those of the other period have BEFORE
# before their names; those of today are not compared.
COLUMNS = (
    "amount_due",
    "invoice_count",
    "amount_paid",
    "online_amount_paid",
    "owing",
    "days",
    "paid_in_full",
)
BEFORE = "previous_"
OF_TODAY = ("deposit_amount", "balance")
_BY = {
    By.TOTAL_PAID: "coalesce(amount_paid, 0) + coalesce(online_amount_paid, 0)",
    By.INVOICES: "invoice_count",
}


@dataclass(frozen=True)
class SummaryQuery:
    """Which summary is wanted: of which business and period, compared with which, and how."""

    report: ReportQuery
    options: SummaryOptions
    compared: Period | None = None

    def __str__(self) -> str:
        """Return a text that is another one for another summary."""
        asked, of = self.options, self.report
        how = f"{asked.by} {asked.limit} {asked.basis} {asked.given()}"
        return f"summary {of.business_id} {of.period} {self.compared} {how}"


def summary(asked: SummaryQuery, counting: Counting, shift: int, *, largest: int) -> str:
    """Return the query of the sums of all customers, and of so many of the largest ones.

    Amounts are in units of 0.0001. There are sums for each range of ids without `shift` bits.
    """
    by = _BY.get(asked.options.by, asked.options.by.value)
    single = sql.filled(_fragments.largest, by=by, limit=str(largest))
    return _summary(asked, counting, shift, literals(asked.report), single)


def summary_of_some(asked: SummaryQuery, counting: Counting, shift: int) -> str:
    """Return the query of the sums of customers $1 to $2, and of each of the customers $3."""
    given = literals(asked.report)._replace(customers="$1::bigint AND $2::bigint")
    single = sql.filled(_fragments.named, customers="$3")
    return _summary(asked, counting, shift, given, single)


def _summary(
    asked: SummaryQuery, counting: Counting, shift: int, given: Arguments, single: str
) -> str:
    shown, join = columns(asked), ""
    if asked.compared is not None:
        join = _previous(given, asked, asked.compared, counting)
    return sql.filled(
        _fragments.summary,
        figures=figures(given, counting, asked.options.basis, activity=True),
        columns=", ".join(shown),
        join=join,
        filters=condition(asked.options),
        of_range=_of_range(given),
        single=single,
        shift=str(shift),
        sums=", ".join(f"sum({name})::{counting.units} AS {name}" for name in shown),
        values=", ".join(shown),
        business=given.business,
    )


def columns(asked: SummaryQuery) -> Sequence[str]:
    """Return the columns that are added up."""
    shown = [*OF_TODAY, *COLUMNS]
    if asked.compared is not None:
        shown += [f"{BEFORE}{name}" for name in COLUMNS]
    return shown


def _previous(given: Arguments, asked: SummaryQuery, period: Period, counting: Counting) -> str:
    before = literals(ReportQuery(asked.report.business_id, period))
    before = before._replace(customers=given.customers)
    return sql.filled(
        _fragments.previous,
        figures=figures(before, counting, asked.options.basis),
        columns=", ".join(f"{name} AS {BEFORE}{name}" for name in COLUMNS),
        of_range=_of_range(given),
    )


def _of_range(given: Arguments) -> str:
    return sql.filled(_fragments.of_range, customers=given.customers) if given.customers else ""
