from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, NamedTuple

from pydantic import Field as Limited

from services.api.core.refusals import NotFound
from services.api.formats.report import Value
from services.api.reports.basis import Basis
from services.api.views.explain import query
from services.api.views.explain.fields import FIELDS, Explanation
from shared.db import sql
from shared.db.postgres import Connection
from shared.period import Period

_BATCH_ROWS = 1000

# A part's values, in the order of the columns of an explanation.
Part = Sequence[Value]


class Place(NamedTuple):
    """The part at which a page ended: its size without the sign, and what identifies it."""

    size: Annotated[Decimal, Limited(ge=0, max_digits=18, decimal_places=4)]
    first_id: Annotated[int, Limited(ge=-1, lt=2**63)]
    second_id: Annotated[int, Limited(ge=-1, lt=2**63)]


@dataclass(frozen=True)
class Question:
    """Which figure of which customer's row is to be explained."""

    business_id: int
    customer_id: int
    period: Period
    field: str
    basis: Basis

    def __str__(self) -> str:
        """Return what the cursors of this explanation are bound to."""
        days = f"{self.period.start} {self.period.end}"
        return f"figure {self.business_id} {self.customer_id} {days} {self.field} {self.basis}"

    def check(self) -> None:
        """Raise NotFound if the row has no such figure, or it cannot be explained."""
        if self.field not in FIELDS:
            raise NotFound("figure to explain")

    @property
    def explanation(self) -> Explanation:
        """The meaning of the figure."""
        return FIELDS[self.field].explanation(self.basis)

    def definition(self) -> tuple[str, list[Any]]:
        """Return the query of all parts, with numbered parameters, and the arguments."""
        return self.called(query.parts(self.explanation))

    def called(self, text: str, **given: Any) -> tuple[str, list[Any]]:
        """Return a query with numbered parameters, and its arguments in order."""
        values = {
            "business": self.business_id,
            "customer": self.customer_id,
            "start": self.period.start,
            "end": self.period.end,
            **given,
        }
        numbered, names = sql.numbered(text)
        return numbered, [values[name] for name in names]


async def total(conn: Connection, question: Question) -> Decimal | int | None:
    """Return the figure as the row has it. Raises NotFound if there is no such customer."""
    text, given = question.called(query.totals(question.basis))
    row = await conn.fetchrow(text, *given)
    if row is None:
        raise NotFound("customer")
    figure: Decimal | int | None = row[question.field]
    return figure


async def page(
    conn: Connection, question: Question, after: Place | None, rows: int
) -> Sequence[Part]:
    """Return at most so many parts of the figure, the largest first, after this place if any."""
    if after is None:
        text, given = question.called(query.first_page(question.explanation), limit=rows)
    else:
        further = query.further_page(question.explanation)
        text, given = question.called(further, limit=rows, **after._asdict())
    return [tuple(row) for row in await conn.fetch(text, *given)]


async def every(conn: Connection, question: Question) -> AsyncIterator[Sequence[Part]]:
    """Yield all parts of the figure in batches, the largest first; within a transaction."""
    text, given = question.called(query.in_order(question.explanation))
    cursor = await conn.cursor(text, *given)
    while rows := await cursor.fetch(_BATCH_ROWS):
        yield [tuple(row) for row in rows]


def place_of(part: Sequence[Any]) -> Place:
    """Return the place of a part, after which the next page begins."""
    amount, document, payment, deposit = part[:4]
    first = deposit if document is None else document
    return Place(abs(amount), -1 if first is None else first, -1 if payment is None else payment)
