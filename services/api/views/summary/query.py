"""The query of a summary, composed of the report's figures and the fragments of this folder."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from services.api.formats.report import Column, Kind
from services.api.reports.listing.conditions import condition
from services.api.reports.model import ReportQuery
from services.api.reports.query import Counting, figures, literals
from services.api.views.summary.model import COMPARED, FIGURES, SummaryOptions
from shared.db import sql
from shared.period import Period

_fragments = sql.load("services.api.views.summary")
# What a mean is formed of.
_BEHIND_MEANS = ("days", "paid_in_full")
# The columns of the other period have this before their names.
BEFORE = "previous_"


@dataclass(frozen=True)
class SummaryQuery:
    """Which summary is wanted: of which business and period, compared with which, and how."""

    report: ReportQuery
    options: SummaryOptions
    compared: Period | None = None


def summary(asked: SummaryQuery, counting: Counting) -> str:
    """Return the query of everything that a summary shows; amounts are in units of 0.0001."""
    shown = list(_names(FIGURES, ""))
    join = ""
    if asked.compared is not None:
        shown += _names(COMPARED, BEFORE)
        join = _previous(asked, asked.compared, counting)
    return sql.filled(
        _fragments.summary,
        figures=figures(literals(asked.report), counting, asked.options.basis, activity=True),
        columns=", ".join(shown),
        join=join,
        filters=condition(asked.options),
        by=asked.options.by,
        limit=str(asked.options.limit),
        sums=", ".join(_sums(asked, is_one=False)),
        values=", ".join(_sums(asked, is_one=True)),
    )


def _previous(asked: SummaryQuery, period: Period, counting: Counting) -> str:
    before = literals(ReportQuery(asked.report.business_id, period))
    columns = (f"{name} AS {BEFORE}{name}" for name in _names(COMPARED, ""))
    return sql.filled(
        _fragments.previous,
        figures=figures(before, counting, asked.options.basis),
        columns=", ".join(columns),
    )


def _names(columns: Sequence[Column], prefix: str) -> Iterator[str]:
    yield from (f"{prefix}{column.name}" for column in columns)
    yield from (f"{prefix}{name}" for name in _BEHIND_MEANS)


def _sums(asked: SummaryQuery, *, is_one: bool) -> Iterator[str]:
    """Yield the figures of one customer as they are, or those of several added up."""
    compared = () if asked.compared is None else COMPARED
    for prefix, columns in (("", FIGURES), (BEFORE, compared)):
        for column in columns:
            name = f"{prefix}{column.name}"
            own = f"{name}::numeric" if column.kind is Kind.DAYS else name
            yield own if is_one else f"{_sum(column, prefix)} AS {name}"


def _sum(column: Column, prefix: str) -> str:
    if column.kind is Kind.DAYS:
        days, documents = (f"coalesce(sum({prefix}{name}), 0)::numeric" for name in _BEHIND_MEANS)
        return f"average_days({days}, {documents})"
    return f"coalesce(sum({prefix}{column.name}), 0)"
