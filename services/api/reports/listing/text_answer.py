from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import asyncpg
from aiohttp import web

from services.api.businesses.model import Business
from services.api.http.connections import connection
from services.api.http.streams import stream
from services.api.reports import store
from services.api.reports.listing import description
from services.api.reports.listing.page import Page
from services.api.reports.listing.store import ListStore, Wanted, in_snapshot
from services.api.reports.listing.text import ListText
from services.api.reports.query import Counting
from services.api.reports.streamed import Write, streamed
from services.api.reports.version_cache import VersionCache
from shared.db.postgres import Connection


class _Finished(NamedTuple):
    """A page as it was answered."""

    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True)
class TextAnswer:
    """The answer to one request for a list as text.

    `described` is the business of a list that also has totals and a description of its figures.
    `key` names everything that decides the answer but the version of the ledger.
    """

    request: web.Request
    text: ListText
    headers: Mapping[str, str]
    key: str
    described: Business | None
    cache: VersionCache

    async def whole(self) -> web.StreamResponse:
        """Stream all rows."""
        return await streamed(self.request, self.text.form.media, self.headers, self._read)

    async def page(self, wanted: Wanted, version: str) -> web.Response:
        """Return one page; `version` is that of the ledger when the request was read.

        A finished page is remembered as long as the ledger has this version.
        """
        finished = self.cache.get(self.key, version)
        if not isinstance(finished, _Finished):
            async with connection(self.request) as conn:
                page, after_rows = await self._page(conn, wanted, version)
            finished = _Finished(
                await self.text.body((row["row"] for row in page.rows), after_rows),
                {**self.headers, **page.headers(self.request, self.text.listing)},
            )
            if page.ranking.version == version:
                self.cache.put(self.key, version, finished, len(finished.body) + len(self.key))
        return web.Response(
            body=finished.body,
            content_type=self.text.form.media,
            charset="utf-8",
            headers=finished.headers,
        )

    async def _page(
        self, conn: Connection, wanted: Wanted, version: str
    ) -> tuple[Page, bytes | None]:
        if self.described is None:
            page = await self._lists(conn).current_page(self.text.page(), wanted, version)
            if page is not None:
                return page, None
        return await in_snapshot(conn, partial(self._read_page, conn, wanted))

    async def _read(self, conn: Connection, write: Write) -> None:
        if self.described is None:
            rows = self.text.writer(write)
            await store.counted_rows(conn, self.text.rows, rows, timeout=stream.READING_S_MAX)
        else:
            await in_snapshot(conn, partial(self._read_object, conn, write))

    async def _read_object(self, conn: Connection, write: Write, counting: Counting) -> None:
        version = await self._version(conn)
        rows = self.text.writer(write, await self._after_rows(conn, version, counting))
        try:
            query = self.text.rows(counting)
            await store.copy_rows(conn, query, rows, timeout=stream.READING_S_MAX)
        except asyncpg.NumericValueOutOfRangeError as error:
            if rows.begun:
                raise RuntimeError("an amount was out of bounds after the first row") from error
            raise
        await rows.end()

    async def _read_page(
        self, conn: Connection, wanted: Wanted, counting: Counting
    ) -> tuple[Page, bytes | None]:
        version = await self._version(conn)
        page = await self._lists(conn).page(self.text.page(), wanted, version, counting)
        return page, await self._after_rows(conn, version, counting)

    async def _after_rows(self, conn: Connection, version: str, counting: Counting) -> bytes | None:
        """Return the totals and the meaning of the figures, if they are wanted."""
        if self.described is None:
            return None
        listing = self.text.listing
        totals = await self._lists(conn).totals(version, counting)
        meta = description.meta(listing, self.described, version)
        return description.after_rows(listing, totals, meta)

    def _lists(self, conn: Connection) -> ListStore:
        return ListStore(conn, self.text.listing, self.cache)

    async def _version(self, conn: Connection) -> str:
        return await store.version(conn, self.text.listing.query.business_id)
