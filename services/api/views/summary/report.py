"""A summary as JSON, and as tables for the page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from services.api.formats.json_value import as_json, fields_as_json
from services.api.formats.report import Column, Kind, Report
from services.api.reports.meta import describe
from services.api.views.answers import batch
from services.api.views.snapshot import State
from services.api.views.summary.model import COMPARED, FIGURES
from services.api.views.summary.query import SummaryQuery
from services.api.views.summary.store import Found
from services.api.views.summary.sums import Sums, number

_PLACES = Decimal("0.01")  # to which a share is rounded


@dataclass(frozen=True)
class SummaryAnswer:
    """The summary as one snapshot has it."""

    query: SummaryQuery
    found: Found
    state: State
    meta: Mapping[str, object]

    @classmethod
    def at(cls, query: SummaryQuery, found: Found, at: State) -> "SummaryAnswer":
        """Return the summary as `at` has it."""
        meta = describe(
            at.business,
            query.report.period,
            ledger_version=at.version,
            basis=query.options.basis,
            filters=query.options.given(),
        ).to_fields()
        if query.compared is not None:
            meta["compared"] = {"from": str(query.compared.start), "to": str(query.compared.end)}
        return cls(query, found, at, meta)

    def members(self) -> dict[str, object]:
        """Return the members of the answer in JSON."""
        return {
            "totals": self._figures(self.found.all),
            "customers": _counted(self.found.all),
            "top": [
                {"id": each.id, "business_name": each.name, **self._shared(each)}
                for each in self.found.top
            ],
            "by_category": [
                {
                    "category_id": each.id,
                    "category": each.name,
                    "customers": _counted(each),
                    **self._shared(each),
                }
                for each in self.categories
            ],
            "meta": self.meta,
        }

    @property
    def categories(self) -> Sequence[Sums]:
        """The categories, the largest first."""
        by = self.query.options.by
        return sorted(self.found.categories, key=lambda each: (-number(each.figures[by]), each.id))

    def share(self, sums: Sums) -> Decimal | None:
        """Return the share of some customers in the total, in percent, if the total is not 0."""
        by = self.query.options.by
        whole = number(self.found.all.figures[by])
        if not whole:
            return None
        return (number(sums.figures[by]) * 100 / whole).quantize(_PLACES, ROUND_HALF_UP)

    def report(self) -> Report:
        """Return the largest customers as a table; its totals are those of all customers."""
        changes = self._changes()
        columns = (
            Column("id", Kind.ID, "Customer no."),
            Column("business_name", Kind.TEXT, "Customer"),
            *FIGURES,
            *changes,
            Column("share", Kind.PERCENT, "Share"),
        )
        rows = [
            (
                each.id,
                each.name,
                *(each.figures[column.name] for column in FIGURES),
                *((each.change or {})[self.query.options.by] for _ in changes),
                self.share(each),
            )
            for each in self.found.top
        ]
        return Report(
            kind="income-summary",
            title="Income at a glance",
            business=self.state.business,
            period=self.query.report.period,
            columns=columns,
            rows=batch(rows),
            totals=self.found.all.figures,
            meta=self.meta,
        )

    def _changes(self) -> Sequence[Column]:
        """Return the column of how the figure `by` has changed, if it is compared."""
        if self.query.compared is None:
            return ()
        by = self.query.options.by
        return [
            Column(f"change.{each.name}", each.kind, f"Change of {each.title.lower()}")
            for each in COMPARED
            if each.name == by
        ]

    def _shared(self, sums: Sums) -> dict[str, object]:
        return {**self._figures(sums), "share": as_json(Kind.PERCENT, self.share(sums))}

    def _figures(self, sums: Sums) -> dict[str, object]:
        amounts = self.query.options.amounts
        found = fields_as_json(FIGURES, sums.figures, amounts)
        if sums.previous is not None and sums.change is not None:
            found["previous"] = fields_as_json(COMPARED, sums.previous, amounts)
            found["change"] = fields_as_json(COMPARED, sums.change, amounts)
        return found


def _counted(sums: Sums) -> dict[str, object]:
    return {"count": sums.customers, "active": sums.active}
