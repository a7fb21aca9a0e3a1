"""The ageing of receivables."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus

from aiohttp import web

from services.api.aging import store
from services.api.aging.description import meta
from services.api.aging.fields import columns
from services.api.aging.listing import Aging
from services.api.aging.navigation import navigation
from services.api.aging.page import Page
from services.api.aging.request import requested_aging, wanted_page
from services.api.businesses.model import Business
from services.api.formats.answer import answer
from services.api.formats.json_value import dumps
from services.api.formats.negotiation import Format, chosen
from services.api.formats.report import Report, Value
from services.api.http import conditional
from services.api.http.appkeys import CODING
from services.api.http.connections import connection
from services.api.http.periods import requested_business
from services.api.http.streams.stream import READING_S_MAX, turn
from services.api.reports import store as reports
from services.api.reports.listing.place import page_numbers
from services.api.reports.listing.store import Wanted, in_snapshot
from services.api.reports.paging import PER_PAGE_DEFAULT
from services.api.reports.query import Counting
from services.api.reports.streamed import Write, streamed
from services.api.reports.versions import ledger_version
from shared.db.postgres import Connection
from shared.period import Period

OFFERED = (Format.JSON, Format.CSV, Format.XLSX, Format.HTML)


async def show(request: web.Request) -> web.StreamResponse:
    """Answer with the receivable of each customer at the end of a day, by how long it is due.

    The version of the tag is read before the rows, as for the list.
    """
    form = chosen(request, OFFERED)
    business = await requested_business(request)
    aging = requested_aging(request, business)
    wanted = wanted_page(aging, PER_PAGE_DEFAULT if form is Format.HTML else None)
    state = f"aging {await ledger_version(request)} {business} {aging} {form.word}"
    tags = conditional.entity_tags(f"{state} {request.rel_url.raw_query_string}")
    if form is not Format.HTML and (had := conditional.had_already(request, tags)):
        return web.Response(status=HTTPStatus.NOT_MODIFIED, headers=conditional.headers(had))
    asked = _Asked(request, aging, business, form, tags)
    if form is Format.JSON and wanted is None:
        return await asked.whole_json()
    return await asked.report(wanted)


@dataclass(frozen=True)
class _Asked:
    """One request for the ageing, and how it is answered."""

    request: web.Request
    aging: Aging
    business: Business
    form: Format
    tags: tuple[str, str]

    async def whole_json(self) -> web.StreamResponse:
        """Stream all rows as Postgres writes them."""
        headers = conditional.headers(self.tags[self.request[CODING].gzip])
        return await streamed(self.request, self.form.media, headers, self._write)

    async def report(self, wanted: Wanted | None) -> web.StreamResponse:
        """Answer with one page, or with all rows, as a report."""
        async with (
            turn(self.request),
            connection(self.request) as conn,
            conn.transaction(isolation="repeatable_read", readonly=True),
        ):
            version = await reports.version(conn, self.business.id)
            place = None if wanted is None else wanted.place
            summary = await store.summary(conn, self.aging, place)
            page = None if wanted is None else await self._page(conn, wanted, summary)
            return await answer(
                self.request,
                Report(
                    kind="aging",
                    title="Ageing of receivables",
                    business=self.business,
                    period=Period(self.aging.as_of, self.aging.as_of),
                    columns=columns(self.aging.options.buckets),
                    rows=_rows_of(page) if page else partial(store.batches, conn, self.aging),
                    totals=summary.totals,
                    meta=meta(self.aging, self.business, version).to_fields(),
                ),
                self.form,
                amounts=self.aging.options.amounts,
                tags=self.tags,
                headers=page.headers(self.request) if page else {},
                navigation=navigation(self.request, self.aging, summary.rows, page),
            )

    async def _page(self, conn: Connection, wanted: Wanted, summary: store.Summary) -> Page:
        before = wanted.before if wanted.place is None else summary.before
        numbers = page_numbers(summary.rows, wanted.place, before, wanted.rows)
        rows = await store.page(conn, self.aging, numbers)
        return Page(self.aging, summary.rows, numbers, rows)

    async def _write(self, conn: Connection, write: Write) -> None:
        await in_snapshot(conn, partial(self._write_object, conn, write))

    async def _write_object(self, conn: Connection, write: Write, counting: Counting) -> None:
        version = await reports.version(conn, self.business.id)
        described = dumps(meta(self.aging, self.business, version).to_fields())
        await store.write_json(
            conn, self.aging, counting, write, described=described, timeout=READING_S_MAX
        )


def _rows_of(page: Page) -> Callable[[], AsyncIterator[Sequence[Sequence[Value]]]]:
    async def rows() -> AsyncIterator[Sequence[Sequence[Value]]]:
        yield page.values

    return rows
