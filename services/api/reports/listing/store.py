"""Reads the list from Postgres: whole or by pages, as finished texts or as values."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import asyncpg

from services.api.formats.report import Value
from services.api.reports.listing import query
from services.api.reports.listing.model import Listing
from services.api.reports.listing.page import Page
from services.api.reports.listing.place import Place
from services.api.reports.listing.ranking import Ranking
from services.api.reports.query import BOUNDED, EXACT, Counting
from services.api.reports.version_cache import VersionCache
from shared.db.postgres import Connection

_BATCH_ROWS = 500  # that are read at once as values

Result = TypeVar("Result")


class Totals(NamedTuple):
    """The number of rows of a list, and their sums by the names of their columns."""

    rows: int
    sums: Mapping[str, Value]


class Wanted(NamedTuple):
    """Which page is wanted: at a place, or of a number from 1; the first one if of neither."""

    rows: int
    place: Place | None = None
    number: int = 1

    @property
    def before(self) -> int:
        """The number of rows before the page, as far as place or number say it."""
        return (self.number - 1) * self.rows if self.place is None else self.place.number

    @property
    def is_first(self) -> bool:
        """Whether the first page is wanted."""
        return self.place is None and self.number == 1


async def in_snapshot(conn: Connection, work: Callable[[Counting], Awaitable[Result]]) -> Result:
    """Return what `work` reads in one snapshot of the ledger.

    Amounts out of bounds are rare; if there is one, `work` begins again and counts exactly.
    """
    try:
        async with conn.transaction(isolation="repeatable_read", readonly=True):
            return await work(BOUNDED)
    except asyncpg.NumericValueOutOfRangeError:
        async with conn.transaction(isolation="repeatable_read", readonly=True):
            return await work(EXACT)


class ListStore:
    """Reads one list, with what it remembers of the ledger at the same version."""

    def __init__(self, conn: Connection, listing: Listing, cache: VersionCache) -> None:
        self._conn, self._listing, self._cache = conn, listing, cache

    async def current_page(self, text: str, wanted: Wanted, version: str) -> Page | None:
        """Return a page as the ledger is now, or None if the ledger changes meanwhile.

        While it has this version, its ranking is known, and the page takes one query, which also
        shows that the ledger still has the version of the ranking.
        """
        found = self._known(wanted, version)
        if found is None:
            try:
                found = await self._rank(wanted, BOUNDED)
            except asyncpg.NumericValueOutOfRangeError:
                found = await self._rank(wanted, EXACT)
        page = await self._page(text, *found)
        is_current = all(row["ledger_version"] == page.ranking.version for row in page.rows[:1])
        return page if is_current else None

    async def page(self, text: str, wanted: Wanted, version: str, counting: Counting) -> Page:
        """Return a page, in a snapshot that has this version."""
        found = self._known(wanted, version) or await self._rank(wanted, counting)
        return await self._page(text, *found)

    async def totals(self, version: str, counting: Counting) -> Totals:
        """Return the sums over all rows, in a snapshot that has this version."""
        key = f"totals {self._listing.filtered}"
        known = self._cache.get(key, version)
        if isinstance(known, Totals):
            return known
        record: Any = await self._conn.fetchrow(query.totals(self._listing, counting))
        found = dict(record)
        totals = Totals(found.pop("rows"), found)
        self._cache.put(key, version, totals, len(key) + 100 * len(found))
        return totals

    async def values(self) -> AsyncIterator[Sequence[Sequence[Value]]]:
        """Yield all rows in batches, within the snapshot."""
        cursor = await self._conn.cursor(query.values(self._listing))
        while batch := await cursor.fetch(_BATCH_ROWS):
            yield [tuple(row) for row in batch]

    def _known(self, wanted: Wanted, version: str) -> tuple[Ranking, range] | None:
        """Return the ranking of this version and the numbers of the rows of a page in it."""
        ranking = self._cache.get(self._listing.order, version)
        if not isinstance(ranking, Ranking) or not ranking.numbers(wanted.place):
            return None
        numbers = ranking.page(wanted.place, wanted.before, wanted.rows)
        return (ranking, numbers) if ranking.has(numbers) else None

    async def _rank(self, wanted: Wanted, counting: Counting) -> tuple[Ranking, range]:
        most = wanted.rows if wanted.is_first else None
        text = query.ranking(self._listing, counting, wanted.place, most)
        record: Any = await self._conn.fetchrow(text)
        ranking = Ranking(record["ledger_version"], record["ids"], record["rows"])
        size = len(ranking.packed) + len(self._listing.order)
        self._cache.put(self._listing.order, ranking.version, ranking, size)
        before = record["before"] if wanted.place else wanted.before
        return ranking, ranking.page(wanted.place, before, wanted.rows)

    async def _page(self, text: str, ranking: Ranking, numbers: range) -> Page:
        ids = ranking.ids(numbers)
        if not ids:
            return Page(ranking, numbers, ())
        found = {row["id"]: row for row in await self._conn.fetch(text, *self._arguments(ids))}
        return Page(ranking, numbers, [found[each] for each in ids if each in found])

    def _arguments(self, ids: Sequence[int]) -> tuple[Any, ...]:
        asked, compared = self._listing.query, self._listing.compared
        own = (asked.business_id, asked.period.start, asked.period.end, ids)
        return own if compared is None else (*own, compared.start, compared.end)
