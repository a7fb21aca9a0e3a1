"""Summaries whose parts are kept from change to change, compared with ones that read everything."""

from collections.abc import Sequence

import asyncpg

from services.api.reports import store as reports
from services.api.reports.query import EXACT
from services.api.views.summary import store
from services.api.views.summary.parts import Parts
from services.api.views.summary.query import SummaryQuery


class KeptParts:
    """The parts of some summaries as of the last look at the ledger."""

    def __init__(self, summaries: Sequence[SummaryQuery]) -> None:
        self._known: dict[SummaryQuery, Parts | None] = dict.fromkeys(summaries)
        self.mended = 0  # how often not everything had to be read

    async def compare(self, conn: asyncpg.Connection) -> None:
        """Assert that parts of which only the changed ones are read show what all show."""
        async with conn.transaction(isolation="repeatable_read", readonly=True):
            for asked, known in self._known.items():
                version = await reports.version(conn, asked.report.business_id)
                read = await store.parts(conn, asked, EXACT, version)
                mended = None
                if known is not None:
                    mended = await store.parts_since(conn, asked, EXACT, version, known)
                if mended is not None:
                    self.mended += 1
                    assert _shown(mended, asked) == _shown(read, asked)
                self._known[asked] = mended or read


def _shown(parts: Parts, asked: SummaryQuery) -> object:
    found = store.found(parts, asked)
    by_id = sorted(found.categories, key=lambda each: each.id or 0)
    return found.all, by_id, found.top
