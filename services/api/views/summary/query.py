"""The query of a summary, composed of the report's figures and the fragments of this folder."""

from dataclasses import dataclass

from services.api.reports.listing.conditions import condition
from services.api.reports.model import ReportQuery
from services.api.reports.query import Counting, figures, literals
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


def summary(asked: SummaryQuery, counting: Counting) -> str:
    """Return the query of everything that a summary shows; amounts are in units of 0.0001."""
    given = literals(asked.report)
    shown, join = [*OF_TODAY, *COLUMNS], ""
    if asked.compared is not None:
        shown += [f"{BEFORE}{name}" for name in COLUMNS]
        join = _previous(asked, asked.compared, counting)
    return sql.filled(
        _fragments.summary,
        figures=figures(given, counting, asked.options.basis, activity=True),
        columns=", ".join(shown),
        join=join,
        filters=condition(asked.options),
        by=_BY.get(asked.options.by, asked.options.by.value),
        limit=str(asked.options.limit),
        sums=", ".join(f"sum({name}) AS {name}" for name in shown),
        values=", ".join(shown),
        business=given.business,
    )


def _previous(asked: SummaryQuery, period: Period, counting: Counting) -> str:
    before = literals(ReportQuery(asked.report.business_id, period))
    return sql.filled(
        _fragments.previous,
        figures=figures(before, counting, asked.options.basis),
        columns=", ".join(f"{name} AS {BEFORE}{name}" for name in COLUMNS),
    )
