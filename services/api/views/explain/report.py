"""An explanation as JSON, and as a table for the other formats."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from services.api.businesses.model import Business
from services.api.formats.json_value import Amounts, as_json, row_as_json
from services.api.formats.report import Kind, Report, Value
from services.api.reports.meta import describe
from services.api.views.explain.model import columns
from services.api.views.explain.store import Part, Question
from services.api.views.snapshot import Snapshot

Batches = AsyncIterator[Sequence[Part]]


@dataclass(frozen=True)
class Explained:
    """A figure as one snapshot has it; `total` is the figure of the row."""

    question: Question
    business: Business
    total: Decimal | int | None
    meta: Mapping[str, object]

    @classmethod
    def at(cls, question: Question, total: Decimal | int | None, at: Snapshot) -> "Explained":
        """Return the figure as `at` has it."""
        meta = describe(
            at.business, question.period, ledger_version=at.version, basis=question.basis
        )
        return cls(question, at.business, total, meta.to_fields())

    @property
    def kind(self) -> Kind:
        """The kind of the figure and its parts."""
        return self.question.explanation.kind

    def members(
        self, parts: Sequence[Part], next_cursor: str | None, amounts: Amounts
    ) -> dict[str, object]:
        """Return the members of the answer in JSON, with a page of the parts."""
        query, parameters = self.definition()
        shown = columns(self.kind)
        return {
            "field": self.question.field,
            "total": as_json(self.kind, self.total, amounts),
            "definition": self.question.explanation.definition,
            "sql": {"query": query, "parameters": parameters},
            "data": [row_as_json(shown, self._row(each), amounts) for each in parts],
            "next_cursor": next_cursor,
            "meta": self.meta,
        }

    def definition(self) -> tuple[str, Sequence[object]]:
        """Return the query of all parts, and its parameters as JSON has them."""
        query, arguments = self.question.definition()
        return query, [_plain(each) for each in arguments]

    def report(self, batches: Callable[[], Batches]) -> Report:
        """Return the parts as a table."""
        asked = self.question

        async def rows() -> AsyncIterator[Sequence[Sequence[Value]]]:
            async for parts in batches():
                yield [self._row(part) for part in parts]

        return Report(
            kind=f"{asked.field}-of-customer-{asked.customer_id}",
            title=f"What makes up {asked.field} of customer {asked.customer_id}",
            business=self.business,
            period=asked.period,
            columns=columns(self.kind),
            rows=rows,
            totals={"amount": self.total},
            meta={**self.meta, "figure": asked.field, "meaning": asked.explanation.definition},
        )

    def _row(self, part: Part) -> Sequence[Value]:
        """Return a part with a value for each column."""
        return (part[0], *part) if self.kind is Kind.DAYS else part


def _plain(argument: object) -> object:
    return argument.isoformat() if isinstance(argument, date) else argument
