from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg
from aiohttp import hdrs, web

from services.api.aging.listing import Aging
from services.api.formats.report import Value
from services.api.reports.links import Cursors, Links, links
from services.api.reports.listing import place
from services.api.reports.listing.place import Place, Side


@dataclass(frozen=True)
class Page:
    """A page of the ageing: its rows, and their numbers among all `total` rows, from 0."""

    aging: Aging
    total: int
    numbers: range
    rows: Sequence[asyncpg.Record]

    @property
    def values(self) -> Sequence[Sequence[Value]]:
        """The rows as a report has them, without the value that orders them."""
        return [tuple(row)[:-1] for row in self.rows]

    def links(self, request: web.Request) -> Links:
        """Return the links to the pages around this one."""
        around = Cursors(self._before(), self._after(), self._last())
        return links(request, self.aging.options, self.total, around)

    def headers(self, request: web.Request) -> dict[str, str]:
        """Return the headers of the answer with this page."""
        return {hdrs.LINK: self.links(request).header(), "X-Total-Count": str(self.total)}

    def _before(self) -> str | None:
        if self.numbers.start == 0:
            return None
        return self._cursor(Side.BEFORE, self.rows[0]) if self.rows else self._last()

    def _after(self) -> str | None:
        if self.numbers.stop >= self.total or not self.rows:
            return None
        return self._cursor(Side.AFTER, self.rows[-1])

    def _last(self) -> str:
        return place.write(self.aging.order, Place(Side.LAST))

    def _cursor(self, side: Side, row: asyncpg.Record) -> str:
        return place.write(self.aging.order, Place(side, row["sort_text"], row["id"]))
