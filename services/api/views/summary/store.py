from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from services.api.formats.report import Column, Kind, Value
from services.api.reports.query import Counting
from services.api.views.summary import query
from services.api.views.summary.model import COMPARED, FIGURES
from services.api.views.summary.query import BEFORE, SummaryQuery
from shared.db.postgres import Connection

_PLACES = -4  # of a unit


@dataclass(frozen=True)
class Sums:
    """The figures of some customers, or of one; `id` and `name` are those of a category or of it.

    `previous` are those of the compared period, if there is one.
    """

    id: int | None
    name: str | None
    customers: int
    active: int
    figures: Mapping[str, Value]
    previous: Mapping[str, Value] | None

    @property
    def change(self) -> Mapping[str, Value] | None:
        """The figures minus the previous ones, null counted as 0."""
        if self.previous is None:
            return None
        return {
            name: number(self.figures[name]) - number(before)
            for name, before in self.previous.items()
        }


@dataclass(frozen=True)
class Found:
    """What a summary shows: categories in no order, and the largest customers in theirs."""

    all: Sums
    categories: Sequence[Sums]
    top: Sequence[Sums]


async def summary(conn: Connection, asked: SummaryQuery, counting: Counting) -> Found:
    """Return the sums of all customers, of each category, and of the largest customers."""
    parts: dict[str, list[Sums]] = {"all": [], "category": [], "top": []}
    for row in await conn.fetch(query.summary(asked, counting)):
        parts[row["part"]].append(_sums(row, is_compared=asked.compared is not None))
    [everything] = parts["all"]
    return Found(everything, parts["category"], parts["top"])


def number(value: Value) -> Decimal:
    """Return a figure as a number, null as 0."""
    return Decimal(value) if isinstance(value, int | Decimal) else Decimal(0)


def _sums(row: Any, *, is_compared: bool) -> Sums:
    return Sums(
        id=row["id"],
        name=row["name"],
        customers=row["customers"],
        active=row["active"],
        figures={column.name: _value(column, row[column.name]) for column in FIGURES},
        previous={column.name: _value(column, row[f"{BEFORE}{column.name}"]) for column in COMPARED}
        if is_compared
        else None,
    )


def _value(column: Column, value: int | Decimal | None) -> Value:
    if column.kind is Kind.MONEY and value is not None:
        return Decimal(value).scaleb(_PLACES)
    return int(value) if column.kind is Kind.COUNT and value is not None else value
