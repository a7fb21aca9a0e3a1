from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg
from aiohttp import hdrs, web

from services.api.reports.links import Cursors, Links, links
from services.api.reports.listing import place
from services.api.reports.listing.model import Listing
from services.api.reports.listing.place import Place, Side
from services.api.reports.listing.ranking import Ranking


@dataclass(frozen=True)
class Page:
    """A page of a list: its rows, and their numbers among all rows of the ranking, from 0."""

    ranking: Ranking
    numbers: range
    rows: Sequence[asyncpg.Record]

    @property
    def total(self) -> int:
        """The number of rows of all pages."""
        return self.ranking.total

    def links(self, request: web.Request, listing: Listing) -> Links:
        """Return the links to the pages around this one."""
        around = Cursors(self._before(listing), self._after(listing), _last(listing))
        return links(request, listing.options, self.total, around)

    def headers(self, request: web.Request, listing: Listing) -> dict[str, str]:
        """Return the headers of the answer with this page."""
        return {
            hdrs.LINK: self.links(request, listing).header(),
            "X-Total-Count": str(self.total),
        }

    def _before(self, listing: Listing) -> str | None:
        if self.numbers.start == 0:
            return None
        if not self.rows:  # those that stood here were deleted
            return _last(listing)
        return self._cursor(listing, Side.BEFORE, self.numbers.start, self.rows[0])

    def _after(self, listing: Listing) -> str | None:
        if self.numbers.stop >= self.total or not self.rows:
            return None
        return self._cursor(listing, Side.AFTER, self.numbers.stop, self.rows[-1])

    def _cursor(self, listing: Listing, side: Side, number: int, row: asyncpg.Record) -> str:
        return place.write(
            listing.order, Place(side, row["sort_text"], row["id"], number, self.ranking.sign)
        )


def _last(listing: Listing) -> str:
    return place.write(listing.order, Place(Side.LAST))
