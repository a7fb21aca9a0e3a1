"""A series as JSON, and as a table for the other formats."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from services.api.businesses.model import Business
from services.api.formats.json_value import Amounts, fields_as_json, row_as_json
from services.api.formats.report import Report, Value
from services.api.reports.meta import describe
from services.api.reports.series.intervals import Span
from services.api.reports.series.store import SeriesQuery, Sums
from services.api.views.answers import batch
from services.api.views.series.model import COLUMNS, FIGURES
from services.api.views.snapshot import State

_PLACES = Decimal("0.0001")  # to which a mean is rounded


@dataclass(frozen=True)
class SeriesAnswer:
    """The sums of each interval of a period, as one snapshot has them."""

    query: SeriesQuery
    spans: Sequence[Span]
    sums: Sequence[Sums]
    business: Business
    meta: Mapping[str, object]

    @classmethod
    def at(
        cls, query: SeriesQuery, spans: Sequence[Span], sums: Sequence[Sums], at: State
    ) -> "SeriesAnswer":
        """Return the series as `at` has it."""
        filters = {} if query.customer_id is None else {"id": query.customer_id}
        meta = describe(
            at.business,
            query.period,
            ledger_version=at.version,
            basis=query.basis,
            filters=filters,
        )
        return cls(query, spans, sums, at.business, meta.to_fields())

    def members(self, amounts: Amounts) -> dict[str, object]:
        """Return the members of the answer in JSON."""
        average = self.average
        return {
            "data": [row_as_json(COLUMNS, row, amounts) for row in self._rows(bool)],
            "totals": fields_as_json(FIGURES, self.totals, amounts),
            "average": None if average is None else fields_as_json(FIGURES, average, amounts),
            "meta": self.meta,
        }

    def report(self) -> Report:
        """Return the intervals as a table."""
        query = self.query
        whose = "" if query.customer_id is None else f"-of-customer-{query.customer_id}"
        return Report(
            kind=f"income-by-{query.interval}{whose}",
            title=f"Income by {query.interval}",
            business=self.business,
            period=query.period,
            columns=COLUMNS,
            rows=batch(self._rows(int)),
            totals=self.totals,
            meta=self.meta,
        )

    @property
    def totals(self) -> Mapping[str, Value]:
        """The sums over all intervals."""
        return {name: sum(values) for name, values in _columns(self.sums).items()}

    @property
    def average(self) -> Mapping[str, Value] | None:
        """The means over the intervals that are not partial, if there are any."""
        full = [sums for span, sums in zip(self.spans, self.sums, strict=True) if not span.partial]
        if not full:
            return None
        return {name: _mean(values) for name, values in _columns(full).items()}

    def _rows(self, flag: type[int]) -> list[tuple[Value, ...]]:
        """Return the intervals, with `partial` as a truth value or as 0 and 1."""
        return [
            (span.start, span.end, flag(span.partial), *sums)
            for span, sums in zip(self.spans, self.sums, strict=True)
        ]


def _columns(sums: Sequence[Sums]) -> dict[str, list[Decimal | int]]:
    return {name: [getattr(each, name) for each in sums] for name in Sums._fields}


def _mean(values: Sequence[Decimal | int]) -> Decimal:
    return (Decimal(sum(values)) / len(values)).quantize(_PLACES, ROUND_HALF_UP)
