from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from services.api.reports.changes import changed_customers
from services.api.reports.query import Counting
from services.api.views.summary import query
from services.api.views.summary.parts import SPARE, Largest, Part, Parts, Ranges, added
from services.api.views.summary.query import SummaryQuery
from services.api.views.summary.sums import BYTES, Sums, sums
from shared.db import sql
from shared.db.postgres import Connection

_queries = sql.load("services.api.views.summary")

_RANGES = 64
_PARTS = 1024  # of all ranges and categories, about
_CHANGED_RANGES = 8  # that are read one by one; more take as long as all at once


@dataclass(frozen=True)
class Found:
    """What a summary shows: categories in no order, and the largest customers in theirs."""

    all: Sums
    categories: Sequence[Sums]
    top: Sequence[Sums]

    @property
    def size(self) -> int:
        """About the bytes of memory that this takes."""
        return BYTES * (1 + len(self.categories) + len(self.top))


async def parts(conn: Connection, asked: SummaryQuery, counting: Counting, version: str) -> Parts:
    """Return the parts of the summary of all customers, at the version that the snapshot has."""
    [spread] = await conn.fetch(_queries.spread, asked.report.business_id)
    most = max(1, min(_RANGES, _PARTS // (spread["categories"] + 1)))
    ranges = Ranges.between(spread["first"] or 0, spread["last"] or 0, most)
    largest = asked.options.limit + SPARE
    rows = await conn.fetch(query.summary(asked, counting, ranges.shift, largest=largest))
    return Parts(
        version,
        ranges,
        _of_range(rows, asked),
        Largest.first(asked.options.by, _single(rows, asked), largest),
    )


async def parts_since(
    conn: Connection, asked: SummaryQuery, counting: Counting, version: str, known: Parts
) -> Parts | None:
    """Return the parts at another version, of which only those that changed are read.

    None if it is not known which did, or if those are too many.
    """
    changed = await changed_customers(conn, asked.report.business_id, known.version)
    if changed is None:
        return None
    ranges = {known.ranges.of(each) for each in changed}
    if len(ranges) > _CHANGED_RANGES:
        return None
    of_range, single = dict(known.of_range), []
    text = query.summary_of_some(asked, counting, known.ranges.shift)
    for each in sorted(ranges):
        rows = await conn.fetch(text, *known.ranges.ends(each), list(changed))
        of_range.pop(each, None)
        of_range |= _of_range(rows, asked)
        single += _single(rows, asked)
    largest = known.largest.but(changed, single, asked.options.limit + SPARE)
    if not largest.has(asked.options.limit):
        return None
    return replace(known, version=version, of_range=of_range, largest=largest)


def found(made: Parts, asked: SummaryQuery) -> Found:
    """Return what a summary of these parts shows."""
    categories = made.by_category()
    nobody = [0] * (2 + len(query.columns(asked)))
    everyone = added([nobody, *(each.figures for each in categories)])
    return Found(
        _sums(None, None, everyone, asked),
        [_sums(each.category, each.name, each.figures, asked) for each in categories],
        made.largest.customers[: asked.options.limit],
    )


def _of_range(rows: Iterable[Any], asked: SummaryQuery) -> dict[int, list[Part]]:
    named = ("customers", "active", *query.columns(asked))
    of_range: dict[int, list[Part]] = {}
    for row in rows:
        if row["part"] == "category":
            part = Part(row["id"], row["name"], [int(row[name] or 0) for name in named])
            of_range.setdefault(row["range"], []).append(part)
    return of_range


def _single(rows: Iterable[Any], asked: SummaryQuery) -> list[Sums]:
    is_compared = asked.compared is not None
    return [
        sums(row, is_one=True, is_compared=is_compared) for row in rows if row["part"] == "single"
    ]


def _sums(of: int | None, name: str | None, figures: Sequence[int], asked: SummaryQuery) -> Sums:
    named = ("id", "name", "customers", "active", *query.columns(asked))
    row = dict(zip(named, (of, name, *figures), strict=True))
    return sums(row, is_one=False, is_compared=asked.compared is not None)
