"""How a view answers that has its rows in pages, or all of them in a file."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Generic, Protocol, TypeVar

from aiohttp import web
from pydantic import TypeAdapter

from services.api.core import bound_cursor
from services.api.formats.answer import answer
from services.api.formats.json_value import Amounts
from services.api.formats.negotiation import Format, chosen
from services.api.formats.page.navigation import Customer, Navigation, Paging
from services.api.formats.report import Report
from services.api.http.streams.stream import turn
from services.api.views import answers, customers
from services.api.views.answers import Row
from services.api.views.paging import PageOptions
from services.api.views.snapshot import Snapshot, snapshot_of_one
from shared.db.postgres import Connection

FORMATS: Final = (Format.JSON, Format.CSV, Format.XLSX, Format.HTML)

_FILES: Final = (Format.CSV, Format.XLSX)


class OfCustomer(Protocol):
    """A query about one customer; cursors are bound to its str()."""

    @property
    def business_id(self) -> int:
        """The business."""

    @property
    def customer_id(self) -> int:
        """The customer."""


Query = TypeVar("Query", bound=OfCustomer)
HeadT = TypeVar("HeadT", bound="Head")
Place = TypeVar("Place", bound=tuple[object, ...])
Batches = Callable[[], AsyncIterator[Sequence[Row]]]


class Head(Protocol):
    """What an answer has beside its rows, as one snapshot has it."""

    def members(
        self, rows: Sequence[Row], next_cursor: str | None, amounts: Amounts
    ) -> dict[str, object]:
        """Return the members of the answer in JSON, with a page of the rows."""

    def report(self, batches: Batches) -> Report:
        """Return the rows as a table for the other formats."""


@dataclass(frozen=True)
class PagedView(Generic[Query, HeadT, Place]):
    """A view by its queries. `place` is the form of its cursors.

    `head` reads what is beside the rows. `page` reads at most so many rows after a place, or the
    first ones; `every` reads all of them within a transaction. `navigation` says where its page
    leads.
    """

    place: TypeAdapter[Place]
    head: Callable[[Query, Snapshot], Awaitable[HeadT]]
    page: Callable[[Connection, Query, Place | None, int], Awaitable[Sequence[Row]]]
    every: Callable[[Connection, Query], AsyncIterator[Sequence[Row]]]
    place_of: Callable[[Row], Place]
    navigation: Callable[[web.Request, HeadT, Customer, Paging], Navigation]

    async def show(
        self, request: web.Request, query: Query, options: PageOptions
    ) -> web.StreamResponse:
        """Answer with a page of the view, or with all of it as a file."""
        form = chosen(request, FORMATS)
        after = None
        if options.cursor is not None:
            after = bound_cursor.read(options.cursor, str(query), self.place)
        if (same := await answers.not_modified(request, form)) is not None:
            return same
        if form in _FILES and not options.is_paged:
            return await self._file(request, query, form)
        async with snapshot_of_one(request) as at:
            head = await self.head(query, at)
            # One row more than the page has: if it exists, there is a next page.
            rows = await self.page(at.conn, query, after, options.rows + 1)
            customer = await self._customer(query, at, form)
        shown = rows[: options.rows]
        cursor = self._cursor(query, shown[-1]) if len(rows) > len(shown) else None
        around = answers.pages(request, cursor)
        link = answers.link(around)
        if form is Format.JSON:
            return answers.json(request, at, head.members(shown, cursor, options.amounts), link)
        report = head.report(answers.batch(shown))
        tags = answers.tags(request, at, form)
        if customer is None:
            return await answer(request, report, form, tags=tags, headers=link)
        navigation = self.navigation(
            request, head, customer, Paging(first=around["first"], next=around["next"])
        )
        return await answer(request, report, form, headers=link, navigation=navigation)

    async def _customer(self, query: Query, at: Snapshot, form: Format) -> Customer | None:
        """Return the customer as a page names it; None if no page is wanted."""
        if form is not Format.HTML:
            return None
        return await customers.customer(at.conn, query.business_id, query.customer_id)

    async def _file(self, request: web.Request, query: Query, form: Format) -> web.StreamResponse:
        """Stream all rows from one snapshot."""
        async with turn(request), snapshot_of_one(request) as at:
            head = await self.head(query, at)
            report = head.report(partial(self.every, at.conn, query))
            tags = answers.tags(request, at, form)
            return await answer(request, report, form, tags=tags)

    def _cursor(self, query: Query, row: Row) -> str:
        """Return the cursor of the page after this row."""
        place = (each if isinstance(each, int) else str(each) for each in self.place_of(row))
        return bound_cursor.write(str(query), tuple(place))
