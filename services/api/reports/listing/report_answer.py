from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

from aiohttp import web

from services.api.businesses.model import Business
from services.api.formats.answer import answer
from services.api.formats.negotiation import Format
from services.api.formats.page.navigation import Bar, Interval
from services.api.http.connections import connection
from services.api.http.streams.stream import turn
from services.api.reports import store
from services.api.reports.listing import description, query
from services.api.reports.listing.model import Listing
from services.api.reports.listing.navigation import navigation
from services.api.reports.listing.page import Page
from services.api.reports.listing.report import Batch, as_report
from services.api.reports.listing.store import ListStore, Wanted
from services.api.reports.listing.top import by_amount_billed, top
from services.api.reports.paging import PER_PAGE_DEFAULT
from services.api.reports.query import EXACT
from services.api.reports.series import drawn
from services.api.reports.series import store as series
from services.api.reports.version_cache import VersionCache
from shared.db.postgres import Connection

_DRAWN = frozenset({Format.HTML, Format.PDF})  # the formats with a chart


@dataclass(frozen=True)
class ReportAnswer:
    """The answer to one request for a list as a report: a spreadsheet, a PDF or a page.

    `tags` are its entity tags; a page has none.
    """

    request: web.Request
    listing: Listing
    form: Format
    business: Business
    tags: tuple[str, str] | None
    cache: VersionCache

    async def send(self, wanted: Wanted | None) -> web.StreamResponse:
        """Answer with one page, or with all rows, from one snapshot.

        HTML has a page of rows if nothing else is wanted.
        """
        if wanted is None and self.form is Format.HTML:
            wanted = Wanted(PER_PAGE_DEFAULT)
        async with (
            turn(self.request),
            connection(self.request) as conn,
            conn.transaction(isolation="repeatable_read", readonly=True),
        ):
            lists = ListStore(conn, self.listing, self.cache)
            version = await store.version(conn, self.business.id)
            page = None if wanted is None else await self._page(lists, wanted, version)
            totals = await lists.totals(version, EXACT)
            bars = () if self.form not in _DRAWN else await self._bars(conn, version)
            intervals = await self._intervals(conn)
            around = None if page is None else page.links(self.request, self.listing)
            report = as_report(
                self.listing,
                self.business,
                lists.values if page is None else _rows_of(page),
                totals=totals.sums,
                meta=description.meta(self.listing, self.business, version),
            )
            return await answer(
                self.request,
                report,
                self.form,
                tags=self.tags,
                headers={} if page is None else page.headers(self.request, self.listing),
                navigation=navigation(
                    self.request, self.listing, totals.rows, around, bars, intervals
                ),
            )

    async def _bars(self, conn: Connection, version: str) -> Sequence[Bar]:
        ordered = by_amount_billed(self.listing)
        return await top(ListStore(conn, ordered, self.cache), ordered, version)

    async def _intervals(self, conn: Connection) -> Sequence[Interval]:
        """Return what a page draws over time, unless filters choose some of the customers."""
        if self.form is not Format.HTML or self.listing.options.given():
            return ()
        asked, spans = drawn.asked(self.listing.query, self.listing.options.basis)
        return drawn.intervals(spans, await series.sums(conn, asked, spans)) if spans else ()

    async def _page(self, lists: ListStore, wanted: Wanted, version: str) -> Page:
        options, is_compared = self.listing.options, self.listing.is_compared
        text = query.page_values(options.sort, options.basis, is_compared=is_compared)
        return await lists.page(text, wanted, version, EXACT)


def _rows_of(page: Page) -> Callable[[], AsyncIterator[Batch]]:
    """Return the rows of a page as a report has them, without the value that orders them."""

    async def rows() -> AsyncIterator[Batch]:
        yield [tuple(row)[:-1] for row in page.rows]

    return rows
