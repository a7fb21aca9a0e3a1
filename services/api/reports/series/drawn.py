"""What a page draws of a series: as many intervals as a chart has room for."""

from collections.abc import Sequence

from services.api.core.refusals import Invalid
from services.api.formats.page import navigation as page
from services.api.reports.basis import Basis
from services.api.reports.model import ReportQuery
from services.api.reports.series.intervals import Interval, Span, spans
from services.api.reports.series.store import SeriesQuery, Sums

_DAYS_MAX = 31
_MONTHS_MAX = 60


def asked(report: ReportQuery, basis: Basis) -> tuple[SeriesQuery, Sequence[Span]]:
    """Return the series that is drawn of a report, and its intervals.

    These are days of up to a month, months of up to five years, or years; there are none if the
    years are too many.
    """
    start, end = report.period.start, report.period.end
    months = (end.year - start.year) * 12 + end.month - start.month + 1
    interval = Interval.MONTH if months <= _MONTHS_MAX else Interval.YEAR
    if (end - start).days < _DAYS_MAX:
        interval = Interval.DAY
    query = SeriesQuery(report.business_id, None, report.period, interval, basis)
    try:
        return query, spans(report.period, interval)
    except Invalid:
        return query, ()


def intervals(of: Sequence[Span], sums: Sequence[Sums]) -> Sequence[page.Interval]:
    """Return the intervals as a chart has them; none if nothing was billed or paid in any."""
    if not any(each.amount_due or each.total_paid for each in sums):
        return ()
    return tuple(
        page.Interval(span.start, span.end, each.amount_due, each.total_paid, span.partial)
        for span, each in zip(of, sums, strict=True)
    )
